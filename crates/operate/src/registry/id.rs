//! What versions are called.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::files;

/// Hexadecimal digits of an id.
const DIGITS: usize = 64;
/// Digits that people read.
const SHORT: usize = 12;
/// Digits that are enough to name a version by.
const FEWEST: usize = 6;

/// The SHA-256 of a bundle's `nomen.json`, which holds the sums of its other files; in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct VersionId(String);

impl VersionId {
    /// The id with these digits, if they are one.
    pub fn new(digits: impl Into<String>) -> Option<Self> {
        let digits = digits.into();
        (digits.len() == DIGITS && is_hex(&digits)).then_some(Self(digits))
    }

    /// The id of a bundle with this manifest.
    pub fn of(manifest: &[u8]) -> Self {
        Self(files::sum(manifest))
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..SHORT]
    }
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        Self::new(digits).ok_or_else(|| serde::de::Error::custom("expected 64 hexadecimal digits"))
    }
}

/// How a version is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionName {
    /// `live`: the one that is live.
    Live,
    /// `v3`: the third that was added.
    Number(usize),
    /// The first digits of its id.
    Prefix(String),
}

/// A name that no version can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no version; expected live, a number such as v3, or at least {FEWEST} digits of an id")]
pub struct VersionNameError(String);

impl FromStr for VersionName {
    type Err = VersionNameError;

    fn from_str(name: &str) -> Result<Self, VersionNameError> {
        if name == "live" {
            return Ok(Self::Live);
        }
        if let Some(number) = name.strip_prefix('v').and_then(|number| number.parse().ok()).filter(|number| *number > 0)
        {
            return Ok(Self::Number(number));
        }
        if (FEWEST..=DIGITS).contains(&name.len()) && is_hex(name) {
            return Ok(Self::Prefix(name.to_owned()));
        }
        Err(VersionNameError(name.to_owned()))
    }
}

impl fmt::Display for VersionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Number(number) => write!(f, "v{number}"),
            Self::Prefix(digits) => f.write_str(digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_by_stage_number_or_digits_and_nothing_else() {
        for name in ["live", "v3", "0123ab", &"a".repeat(64)] {
            assert_eq!(name.parse::<VersionName>().unwrap().to_string(), name);
        }
        for name in ["", "v0", "v", "v-1", "12345", "ABCDEF", "../../x", &"a".repeat(65)] {
            assert!(name.parse::<VersionName>().is_err(), "{name}");
        }
        assert!(VersionId::new("a".repeat(63)).is_none() && VersionId::new("G".repeat(64)).is_none());
    }
}
