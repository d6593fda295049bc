//! A log compared with a profile.

use std::{fmt, ops::Range};

use serde::Serialize;

use super::{Policy, Stability};
use crate::{
    predictions::Row,
    profile::{Feature, Histogram, Measured, Profile},
};

/// Effective values below which a distribution is not judged.
const FEWEST: f64 = 25.0;
/// A difference that chance explains less often than this is called a move.
const SIGNIFICANT: f64 = 0.05;

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Too few values to judge by.
    TooFew,
    /// Nothing is shown to have changed.
    Steady,
    /// Something has changed, but it is not shown to be more than the threshold.
    Moved,
    /// The change is shown to be more than the threshold.
    Drifted,
}

/// A feature in a window beside the profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The feature.
    #[serde(flatten)]
    pub feature: Feature,
    /// Its mean in the window, where it is a number.
    pub mean: Option<f64>,
    /// The share of each of the profile's bins.
    pub shares: Vec<f64>,
    /// How many values there are.
    pub values: u64,
    /// How far it has moved; nothing where there are too few values.
    #[serde(flatten)]
    pub stability: Option<Stability>,
    /// What came of it.
    pub verdict: Verdict,
}

/// A window of the log beside the profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowReport {
    /// Its first text, from 1.
    pub first: usize,
    /// Its texts.
    pub texts: usize,
    /// When its first text came, in milliseconds since 1970.
    pub from: u64,
    /// When its last text came.
    pub to: u64,
    /// Every feature of the profile, in its order.
    pub features: Vec<Compared>,
}

/// A log beside a profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftReport {
    /// What was asked.
    #[serde(flatten)]
    pub policy: Policy,
    /// How many comparisons the intervals take into account.
    pub comparisons: usize,
    /// Whether anything has drifted, in a window or over the whole log.
    pub drifted: bool,
    /// All windows together.
    pub whole: WindowReport,
    /// Each window.
    pub windows: Vec<WindowReport>,
}

/// Compares the windows of a log, and all of it, with a profile. Rows are sorted by time.
pub fn compare(profile: &Profile, rows: &[Row], windows: &[Range<usize>], policy: &Policy) -> DriftReport {
    // One window is the whole log.
    let parts: Vec<Range<usize>> = if windows.len() > 1 { windows.to_vec() } else { Vec::new() };
    let all = std::iter::once(0..rows.len()).chain(parts);
    let measured: Vec<(Range<usize>, Vec<Histogram>)> = all
        .map(|window| {
            let of = |measured: &Measured| Histogram::of(&measured.bins, &measured.feature, &rows[window.clone()]);
            let histograms = profile.features.iter().map(of).collect();
            (window, histograms)
        })
        .collect();
    let is_judged = |(measured, histogram): (&Measured, &Histogram)| {
        measured.histogram.effective >= FEWEST && histogram.effective >= FEWEST
    };
    let pairs =
        |histograms: &[Histogram]| profile.features.iter().zip(histograms).filter(|pair| is_judged(*pair)).count();
    let comparisons = measured.iter().map(|(_, histograms)| pairs(histograms)).sum();

    let compared = |measured: &Measured, histogram: &Histogram, rows: &[Row]| {
        let judged = is_judged((measured, histogram));
        let stability = judged.then(|| Stability::of(&measured.histogram, histogram, comparisons, policy.confidence));
        let verdict = match stability {
            None => Verdict::TooFew,
            Some(stability) if stability.low > policy.threshold => Verdict::Drifted,
            Some(stability) if stability.p <= SIGNIFICANT => Verdict::Moved,
            Some(_) => Verdict::Steady,
        };
        Compared {
            feature: measured.feature.clone(),
            mean: measured.feature.mean(rows),
            shares: histogram.shares(),
            values: histogram.total(),
            stability,
            verdict,
        }
    };
    let mut reports = measured.into_iter().map(|(window, histograms)| {
        let rows = &rows[window.clone()];
        let moment = |row: Option<&Row>| row.map_or(0, |row| row.at);
        let features = profile.features.iter().zip(&histograms);
        WindowReport {
            first: window.start + 1,
            texts: rows.len(),
            from: moment(rows.first()),
            to: moment(rows.last()),
            features: features.map(|(measured, histogram)| compared(measured, histogram, rows)).collect(),
        }
    });
    let whole = reports.next();
    let windows: Vec<WindowReport> = reports.collect();
    let whole = whole.unwrap_or(WindowReport { first: 1, texts: 0, from: 0, to: 0, features: Vec::new() });
    let windows = if windows.is_empty() { vec![whole.clone()] } else { windows };
    let drifted = windows.iter().chain([&whole]).any(|window| window.verdict() == Verdict::Drifted);
    DriftReport { policy: *policy, comparisons, drifted, whole, windows }
}

impl WindowReport {
    /// The worst of its features.
    pub fn verdict(&self) -> Verdict {
        self.features.iter().map(|compared| compared.verdict).max().unwrap_or(Verdict::TooFew)
    }

    /// The feature that has moved most surely: the one whose lower end is highest, then the one with the highest index.
    pub fn worst(&self) -> Option<&Compared> {
        let rank = |compared: &&Compared| compared.stability.map(|stability| (stability.low, stability.psi));
        let judged = self.features.iter().filter(|compared| compared.stability.is_some());
        judged.max_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal))
    }
}

impl DriftReport {
    /// The first window in which something has drifted.
    pub fn first_drifted(&self) -> Option<&WindowReport> {
        self.windows.iter().find(|window| window.verdict() == Verdict::Drifted)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFew => "too few",
            Self::Steady => "steady",
            Self::Moved => "moved",
            Self::Drifted => "drifted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::Window;

    /// Texts of one or two words in turn, from some text on of twenty words.
    fn rows(texts: usize, changed_from: usize) -> Vec<Row> {
        let words = |text: usize| if text >= changed_from { 20 + text % 5 } else { 1 + text % 7 };
        (0..texts).map(|text| Row { at: text as u64, ..Row::of(&"word ".repeat(words(text)), &[], None) }).collect()
    }

    fn report(rows: &[Row]) -> DriftReport {
        let profile = Profile::of_log("log", &self::rows(1_000, usize::MAX));
        compare(&profile, rows, &Window::Texts(100).cut(rows), &Policy::default())
    }

    #[test]
    fn what_stays_as_it_was_is_steady_and_what_changes_is_found_in_its_window() {
        let same = report(&rows(1_000, usize::MAX));
        assert!(!same.drifted && same.windows.len() == 10, "{same:?}");
        assert!(same.windows.iter().all(|window| window.verdict() <= Verdict::Steady));

        let changed = report(&rows(1_000, 600));
        assert!(changed.drifted);
        let first = changed.first_drifted().unwrap();
        assert_eq!((first.first, first.worst().unwrap().feature.clone()), (601, Feature::Length));
    }

    #[test]
    fn too_few_texts_raise_no_alarm() {
        let few = report(&rows(20, 0));
        assert!(!few.drifted);
        assert_eq!(few.whole.verdict(), Verdict::TooFew);
        let none = report(&[]);
        assert!(!none.drifted && none.whole.texts == 0 && none.windows.len() == 1);
    }
}
