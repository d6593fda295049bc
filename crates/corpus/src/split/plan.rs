//! What a split is to be.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Sizes;
use crate::duplicates::Similarity;

/// What a split is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How large the parts are.
    pub sizes: Sizes,
    /// What stays together, beside exact duplicates.
    pub group_by: Vec<Grouping>,
    /// The metadata field with the date by which the oldest documents come into the first part; without one every
    /// part gets its share of every label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_date: Option<String>,
    /// From which similarity on texts are near duplicates.
    pub similarity: Similarity,
    /// Decides between what is otherwise equal.
    pub seed: u64,
}

/// What keeps documents together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Grouping {
    /// Texts that are equal but for case and white space, which stay together in any case.
    Text,
    /// Near duplicates ([`crate::duplicates`]).
    Near,
    /// Sentences behind one `-DOCSTART-` line of a CoNLL file.
    Document,
    /// Documents with one value of a metadata field.
    Meta(String),
}

/// Not a grouping.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected text, near, document or meta.KEY, found `{0}`")]
pub struct NotAGrouping(String);

/// Not the name of a metadata field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a metadata field as meta.KEY, found `{0}`")]
pub struct NotAKey(String);

/// The field that `meta.FIELD` names.
///
/// # Errors
/// It does not begin with `meta.`, or names nothing.
pub fn meta_key(text: &str) -> Result<String, NotAKey> {
    match text.strip_prefix("meta.") {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(NotAKey(text.escape_debug().to_string())),
    }
}

impl FromStr for Grouping {
    type Err = NotAGrouping;

    fn from_str(text: &str) -> Result<Self, NotAGrouping> {
        match text.trim() {
            "text" => Ok(Self::Text),
            "near" => Ok(Self::Near),
            "document" => Ok(Self::Document),
            other => meta_key(other).map(Self::Meta).map_err(|NotAKey(text)| NotAGrouping(text)),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Near => f.write_str("near"),
            Self::Document => f.write_str("document"),
            Self::Meta(key) => write!(f, "meta.{key}"),
        }
    }
}

impl TryFrom<String> for Grouping {
    type Error = NotAGrouping;

    fn try_from(text: String) -> Result<Self, NotAGrouping> {
        text.parse()
    }
}

impl From<Grouping> for String {
    fn from(grouping: Grouping) -> Self {
        grouping.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groupings_are_read_as_they_are_shown() {
        for text in ["text", "near", "document", "meta.source", "meta.a.b"] {
            assert_eq!(text.parse::<Grouping>().unwrap().to_string(), text);
        }
        for text in ["", "meta", "meta.", "source", "Near"] {
            assert!(text.parse::<Grouping>().is_err(), "{text:?} was accepted");
        }
    }
}
