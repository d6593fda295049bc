//! One question of a gate: a label of a set, or all its labels.

use std::fmt;

use evaluate::Change;
use schema::Label;
use serde::Serialize;

use super::{Bound, Policy, Undecided};

/// A label of a set, or all its labels, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The label; `None` for all labels of the set.
    pub label: Option<Label>,
    /// Gold entities.
    pub support: usize,
    /// F1 before and after, the change and its interval.
    #[serde(flatten)]
    pub change: Change,
    /// `p_drop` corrected over all rows that are judged; `None` where the row has too few entities to be one of them.
    pub p_drop_corrected: Option<f64>,
    /// What the policy lets it lose and wants it to gain.
    #[serde(flatten)]
    pub bound: Bound,
    /// What came of it.
    pub verdict: Verdict,
    /// Whether the gate fails for it.
    pub fails: bool,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Shown to have lost no more than it may.
    Holds,
    /// Neither a drop nor its absence is shown: the texts are too few.
    Undecided,
    /// Fewer entities than the policy wants to judge by.
    TooFew,
    /// Lost more than it may, and not by chance.
    Dropped,
    /// The gain that the policy requires is not there.
    NoGain,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Undecided => "undecided",
            Self::TooFew => "too few",
            Self::Dropped => "dropped",
            Self::NoGain => "no gain",
        })
    }
}

impl Row {
    /// Judges a row whose corrected p-value is known.
    pub(super) fn judge(
        label: Option<Label>,
        change: Change,
        corrected: Option<f64>,
        bound: Bound,
        policy: &Policy,
    ) -> Self {
        // Half of an entity would be seen; sums of fractions are not exact.
        const SLACK: f64 = 1e-9;
        let Bound { max_drop, min_gain } = bound;
        let is_gained = min_gain.is_none_or(|gain| change.change >= gain - SLACK && change.interval.low > 0.0);
        let is_dropped = |p: f64| change.change < -max_drop - SLACK && p <= 1.0 - policy.confidence + SLACK;
        let verdict = match corrected {
            None => Verdict::TooFew,
            Some(p) if is_dropped(p) => Verdict::Dropped,
            Some(_) if !is_gained => Verdict::NoGain,
            Some(_) if change.interval.low >= -max_drop - SLACK => Verdict::Holds,
            Some(_) => Verdict::Undecided,
        };
        let fails = match verdict {
            Verdict::Dropped | Verdict::NoGain => true,
            // A label that must gain something has to show it; so has a set that it can judge at all.
            Verdict::TooFew => label.is_none() || min_gain.is_some(),
            Verdict::Undecided => policy.undecided == Undecided::Fail,
            Verdict::Holds => false,
        };
        Self { label, support: change.before.gold, change, p_drop_corrected: corrected, bound, verdict, fails }
    }
}
