//! How alike two texts must be to count as one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Jaccard similarity of the word shingles of two texts, from which on they are near duplicates: above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Similarity(f64);

/// Not a similarity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a similarity above 0 and at most 1, such as 0.7, found `{0}`")]
pub struct NotASimilarity(String);

impl Similarity {
    /// A similarity.
    ///
    /// # Errors
    /// The number is not above 0 and at most 1.
    pub fn new(similarity: f64) -> Result<Self, NotASimilarity> {
        if similarity > 0.0 && similarity <= 1.0 {
            Ok(Self(similarity))
        } else {
            Err(NotASimilarity(similarity.to_string()))
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Similarity {
    /// 0.7: of a text of 20 words one may be another.
    fn default() -> Self {
        Self(0.7)
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Similarity {
    type Err = NotASimilarity;

    fn from_str(text: &str) -> Result<Self, NotASimilarity> {
        let number: f64 = text.trim().parse().map_err(|_| NotASimilarity(text.escape_debug().to_string()))?;
        Self::new(number)
    }
}

impl TryFrom<f64> for Similarity {
    type Error = NotASimilarity;

    fn try_from(similarity: f64) -> Result<Self, NotASimilarity> {
        Self::new(similarity)
    }
}

impl From<Similarity> for f64 {
    fn from(similarity: Similarity) -> Self {
        similarity.get()
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // what was given is kept
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_similarity_are_refused() {
        for text in ["0", "-0.5", "1.01", "NaN", "inf", "", "much"] {
            assert!(text.parse::<Similarity>().is_err(), "{text:?} was accepted");
        }
        assert_eq!(" 0.8".parse::<Similarity>().unwrap().get(), 0.8);
    }
}
