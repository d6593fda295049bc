//! What a candidate may lose and what it has to gain.

mod read;

use std::{collections::BTreeMap, path::Path};

use schema::Label;
use serde::Serialize;

use super::{GateError, PolicyError};

/// The policy of a gate; every figure is a fraction of F1, not percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// F1 over all labels that a set may lose.
    pub max_drop: f64,
    /// F1 that a label may lose.
    pub max_drop_label: f64,
    /// How sure a drop must be, all rows together, before the gate fails for it; also the level of the intervals.
    pub confidence: f64,
    /// Gold entities that a row needs to be judged.
    pub min_support: usize,
    /// What a row comes to that is neither shown to hold nor to have dropped.
    pub undecided: Undecided,
    /// How often the texts are drawn anew, at least ([`Policy::resamples_for`]).
    pub resamples: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Bounds of labels, in every set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<Label, Bounds>,
    /// Bounds of sets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: BTreeMap<String, SetBounds>,
}

/// Whether a row passes whose texts are too few to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Undecided {
    /// Fails only what is shown to be worse.
    Pass,
    /// Passes only what is shown not to be worse.
    Fail,
}

/// What a policy says of a label or set; what it leaves open stands further up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bounds {
    /// F1 that may be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_drop: Option<f64>,
    /// F1 that must be gained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gain: Option<f64>,
}

/// What a policy says of a set.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SetBounds {
    /// Over all its labels.
    #[serde(flatten)]
    pub all: Bounds,
    /// By label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<Label, Bounds>,
}

/// What holds for a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// F1 that may be lost.
    pub max_drop: f64,
    /// F1 that must be gained, where something must.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gain: Option<f64>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_drop: 0.005,
            max_drop_label: 0.01,
            confidence: 0.95,
            min_support: 20,
            undecided: Undecided::Pass,
            resamples: 2000,
            seed: 0,
            labels: BTreeMap::new(),
            sets: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Reads `gate.toml`; what it leaves out is as in [`Policy::default`].
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has a key that is not known, or a value out of range; with the line.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let text = std::fs::read_to_string(path).map_err(|error| PolicyError::Io { path: path.to_owned(), error })?;
        Self::parse(&text, path)
    }

    /// How often the texts are drawn for so many rows: as the policy says, but often enough that the smallest p-value there can be
    /// is still small enough after the correction over all rows.
    pub fn resamples_for(&self, rows: usize) -> usize {
        self.resamples.max((2.0 * rows as f64 / (1.0 - self.confidence)).ceil() as usize)
    }

    /// What holds for a label of a set, or for the set as a whole.
    pub fn bound(&self, set: &str, label: Option<&Label>) -> Bound {
        let of_set = self.sets.get(set);
        let Some(label) = label else {
            let Bounds { max_drop, min_gain } = of_set.map(|set| set.all).unwrap_or_default();
            return Bound { max_drop: max_drop.unwrap_or(self.max_drop), min_gain };
        };
        let near = of_set.and_then(|set| set.labels.get(label)).copied().unwrap_or_default();
        let far = self.labels.get(label).copied().unwrap_or_default();
        let max_drop = near.max_drop.or(far.max_drop).unwrap_or(self.max_drop_label);
        Bound { max_drop, min_gain: near.min_gain.or(far.min_gain) }
    }

    /// Whether all labels and sets that the policy names are there.
    pub(super) fn check_names(&self, sets: &[(&str, &[Label])]) -> Result<(), GateError> {
        let unknown = |key: String, given: &str, known: Vec<&str>, problem: String| {
            let nearest = nearest(given, known.iter().copied()).map(str::to_owned);
            Err(GateError::UnknownName { key, problem: format!("{problem} {}", known.join(", ")), nearest })
        };
        let mut all: Vec<&str> = sets.iter().flat_map(|(_, labels)| *labels).map(Label::as_str).collect();
        all.sort_unstable();
        all.dedup();
        if let Some(label) = self.labels.keys().find(|label| !all.contains(&label.as_str())) {
            return unknown(format!("labels.{label}"), label.as_str(), all, "the test sets have".to_owned());
        }
        for (name, bounds) in &self.sets {
            let Some((_, labels)) = sets.iter().find(|(set, _)| set == name) else {
                let known = sets.iter().map(|(name, _)| *name).collect();
                return unknown(format!("sets.{name}"), name, known, "the test sets are called".to_owned());
            };
            if let Some(label) = bounds.labels.keys().find(|label| !labels.contains(label)) {
                let known = labels.iter().map(Label::as_str).collect();
                let key = format!("sets.{name}.labels.{label}");
                return unknown(key, label.as_str(), known, "the labels of this set are".to_owned());
            }
        }
        Ok(())
    }
}

/// The name that is most like the one that was given, if one is.
fn nearest<'k>(given: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let given = given.to_lowercase().replace('-', "_");
    known
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, name)| name)
}
