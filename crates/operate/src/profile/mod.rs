//! What a model's own domain looks like: the distribution of each [`Feature`] of texts that it was not trained on and of what
//! it found in them, and which words and surfaces training has seen.
//!
//! A profile is made of *unseen* texts, because a model is surer of the texts that it learned from than it will ever be
//! again. In a bundle it is the file [`PROFILE_FILE`].

mod bins;
mod feature;
mod known;

use std::collections::BTreeSet;

use schema::Label;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use bins::{Bins, Histogram};
pub use feature::{Feature, Value};
pub use known::Known;

use crate::predictions::Row;

/// Name of the file in a bundle.
pub const PROFILE_FILE: &str = "nomen-profile.json";

/// Most values that a bin can have.
const MOST_VALUES: u64 = 1 << 40;

/// The format that this build writes.
const FORMAT: u32 = 1;

/// What a model's domain looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    format: u32,
    /// What its texts are, such as `dev`.
    pub of: String,
    /// How many there are.
    pub texts: u64,
    /// What was measured of them.
    pub features: Vec<Measured>,
    /// What training has seen; nothing in a profile that was made of a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// The distribution of a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The feature.
    #[serde(flatten)]
    pub feature: Feature,
    /// Its mean, where it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Where one bin ends and the next begins.
    pub bins: Bins,
    /// How many observations each bin has.
    pub histogram: Histogram,
}

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// Not the JSON of a profile.
    #[error("{PROFILE_FILE}: {0}; copy the bundle anew")]
    Json(#[from] serde_json::Error),
    /// Written by a newer build.
    #[error(
        "{PROFILE_FILE}: format: expected at most {FORMAT}, found {0}; the model is from a newer nomen, update this one"
    )]
    Newer(u32),
    /// A distribution does not have a count for each of its bins, or a count that nobody has counted.
    #[error(
        "{PROFILE_FILE}: {feature}: expected {expected} counts of at most {MOST_VALUES}, found {found}; copy the bundle anew"
    )]
    Counts {
        /// The feature.
        feature: Feature,
        /// Bins that there are.
        expected: usize,
        /// Counts that there are.
        found: usize,
    },
}

impl Profile {
    /// The profile of texts that a model has judged; `of` says which they are. Features that none of them has are left out.
    pub fn new(of: &str, rows: &[Row], labels: &[Label], known: Option<Known>) -> Self {
        let features = Feature::all(labels).filter_map(|feature| Measured::of(feature, rows)).collect();
        Self { format: FORMAT, of: of.to_owned(), texts: rows.len() as u64, features, known }
    }

    /// The profile of a log, whose labels are those that were found in it.
    pub fn of_log(of: &str, rows: &[Row]) -> Self {
        let found: BTreeSet<&Label> = rows.iter().flat_map(|row| &row.entities).map(|found| &found.label).collect();
        let labels: Vec<Label> = found.into_iter().cloned().collect();
        Self::new(of, rows, &labels, None)
    }

    /// Reads the content of a [`PROFILE_FILE`].
    ///
    /// # Errors
    /// It is malformed, or from a newer build.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProfileError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(bytes)?;
        if format > FORMAT {
            return Err(ProfileError::Newer(format));
        }
        let profile: Self = serde_json::from_slice(bytes)?;
        let is_odd = |Measured { bins, histogram, .. }: &&Measured| {
            // Nobody has judged so many texts; sums of such counts stay in range.
            bins.len() != histogram.counts.len() || histogram.counts.iter().any(|count| *count > MOST_VALUES)
        };
        let odd = profile.features.iter().find(is_odd);
        match odd {
            None => Ok(profile),
            Some(Measured { feature, bins, histogram, .. }) => Err(ProfileError::Counts {
                feature: feature.clone(),
                expected: bins.len(),
                found: histogram.counts.len(),
            }),
        }
    }

    /// The content of the file.
    #[allow(clippy::missing_panics_doc)] // only a map without text keys would not serialize
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a profile has text keys");
        bytes.push(b'\n');
        bytes
    }
}

impl Measured {
    /// The distribution in these rows, in bins made for them; `None` where none of them has the feature.
    fn of(feature: Feature, rows: &[Row]) -> Option<Self> {
        let bins = Bins::of(&feature, rows)?;
        let histogram = Histogram::of(&bins, &feature, rows);
        Some(Self { mean: feature.mean(rows), feature, bins, histogram })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        (0..40).map(|length| Row::of(&"a word ".repeat(length + 1), &[], None)).collect()
    }

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        let known = Known::of(["some words"].into_iter(), ["Rome"].into_iter());
        let profile = Profile::new("dev", &rows(), &[Label::new("PER").unwrap()], Some(known));
        assert_eq!(Profile::parse(&profile.to_bytes()).unwrap(), profile);
        assert!(profile.features.iter().any(|measured| measured.feature == Feature::Length));
        assert!(profile.features.iter().all(|measured| !matches!(measured.feature, Feature::NewSurfaces)), "no entity");
    }

    #[test]
    fn another_format_and_lost_counts_are_refused() {
        let written = String::from_utf8(Profile::new("dev", &rows(), &[], None).to_bytes()).unwrap();
        let newer = written.replacen("\"format\":1", "\"format\":2", 1);
        assert!(Profile::parse(newer.as_bytes()).unwrap_err().to_string().contains("newer nomen"));
        let cut = written.replacen("\"counts\":[", "\"counts\":[1,", 1);
        assert!(Profile::parse(cut.as_bytes()).unwrap_err().to_string().contains("expected"));
        assert!(Profile::parse(b"{}").is_err() && Profile::parse(b"").is_err());
    }
}
