//! What `nomen monitor` says of a log: as text, as JSON, as a page, and the texts that are worth annotating.

mod page;
mod text;
mod unsure;

use operate::{
    drift::{Compared, DriftReport, Window},
    profile::{Bins, Feature, Measured, Profile},
};
use serde::Serialize;

pub use unsure::write as write_unsure;

/// A log beside a profile.
pub struct Monitored<'p> {
    /// The model as it was named, if one was.
    pub model: Option<String>,
    /// Rows of other versions, which were left out.
    pub others: usize,
    /// What was compared with.
    pub profile: &'p Profile,
    /// How the log was cut.
    pub window: Window,
    /// What came of it.
    pub report: DriftReport,
}

/// The report as JSON.
#[derive(Serialize)]
pub struct Answer<'m> {
    model: Option<&'m str>,
    rows_of_other_versions: usize,
    profile: OfProfile<'m>,
    window: Window,
    #[serde(flatten)]
    report: &'m DriftReport,
}

#[derive(Serialize)]
struct OfProfile<'m> {
    of: &'m str,
    texts: u64,
    features: &'m [Measured],
}

impl Monitored<'_> {
    /// What `--json` prints.
    pub fn json(&self) -> Answer<'_> {
        let Profile { of, texts, features, .. } = self.profile;
        Answer {
            model: self.model.as_deref(),
            rows_of_other_versions: self.others,
            profile: OfProfile { of, texts: *texts, features },
            window: self.window,
            report: &self.report,
        }
    }

    /// The windows as people call them.
    fn windows(&self) -> String {
        let count = self.report.windows.len();
        match (count, self.window) {
            (1, _) => "one window".to_owned(),
            (_, Window::Texts(texts)) => format!("{count} windows of {texts} texts"),
            (_, time @ Window::Time(_)) => format!("{count} windows of {time}"),
        }
    }

    /// What has come of it, in a line.
    fn outcome(&self) -> String {
        let drifted = |compared: &&Compared| compared.verdict == operate::drift::Verdict::Drifted;
        let report = &self.report;
        let window = report.first_drifted().unwrap_or(&report.whole);
        let names: Vec<String> = window.features.iter().filter(drifted).map(|of| of.feature.to_string()).collect();
        let place =
            match report.windows.iter().position(|other| other.first == window.first && report.windows.len() > 1) {
                Some(at) if window.texts < report.whole.texts => {
                    format!("from window {} on (text {})", at + 1, window.first)
                }
                _ => "over the whole log".to_owned(),
            };
        match names.as_slice() {
            [] if report.comparisons == 0 => "nothing was judged: the log or the profile has too few texts".to_owned(),
            [] => "no drift is shown".to_owned(),
            names => format!("drifted {place}: {}", names.join(", ")),
        }
    }
}

/// The middle of a distribution as people read it: a mean, or how often the most frequent kind is there.
fn typical(measured: &Measured, mean: Option<f64>, shares: &[f64]) -> String {
    if let Bins::Kinds(kinds) = &measured.bins {
        let share = shares.first().copied().unwrap_or(0.0);
        return format!("{} {:.0} %", kinds.first().map_or("other", String::as_str), share * 100.0);
    }
    let Some(mean) = mean else { return "–".to_owned() };
    match measured.feature {
        Feature::Length => format!("{mean:.0}"),
        Feature::NewWords | Feature::NewSurfaces => format!("{:.1} %", mean * 100.0),
        Feature::Entities | Feature::Rate(_) => format!("{mean:.2}"),
        Feature::Confidence | Feature::ConfidenceOf(_) | Feature::Language => format!("{mean:.3}"),
    }
}
