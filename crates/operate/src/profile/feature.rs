//! What is measured of a text and of what was found in it.

use std::fmt;

use schema::Label;
use serde::{Deserialize, Serialize};

use crate::predictions::Row;

/// A property of texts, or of the entities in them, whose distribution is watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "feature", content = "label", rename_all = "snake_case")]
pub enum Feature {
    /// Length of a text in code points.
    Length,
    /// Language of a text.
    Language,
    /// Share of a text's words that the training texts did not have: the out-of-vocabulary rate.
    NewWords,
    /// Entities of a text.
    Entities,
    /// Entities of this label in a text.
    Rate(Label),
    /// Score of an entity.
    Confidence,
    /// Score of an entity of this label.
    ConfidenceOf(Label),
    /// Whether an entity reads like none of the training texts: 1 or 0.
    NewSurfaces,
}

/// What a text says of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'r> {
    /// A number.
    Number(f64),
    /// One of several kinds.
    Kind(&'r str),
}

impl Feature {
    /// All features of a model with these labels.
    pub fn all(labels: &[Label]) -> impl Iterator<Item = Self> {
        let of_label = |label: &Label| [Self::Rate(label.clone()), Self::ConfidenceOf(label.clone())];
        [Self::Length, Self::Language, Self::NewWords, Self::Entities, Self::Confidence, Self::NewSurfaces]
            .into_iter()
            .chain(labels.iter().flat_map(of_label))
    }

    /// What a row says of the feature: one value, none where it does not tell, or one an entity.
    pub fn values<'r>(&self, row: &'r Row) -> Vec<Value<'r>> {
        let number = |value: f64| vec![Value::Number(value)];
        let scores = |label: Option<&Label>| {
            let counts = |of: &Label| label.is_none_or(|label| label == of);
            let found = row.entities.iter().filter(|found| counts(&found.label));
            found.filter_map(|found| found.score.map(Value::Number)).collect()
        };
        match self {
            Self::Length => number(row.chars as f64),
            Self::Language => vec![Value::Kind(row.language.as_deref().unwrap_or("unclear"))],
            Self::NewWords => match row.new_words {
                Some(new) if row.words > 0 => number(new as f64 / row.words as f64),
                _ => Vec::new(),
            },
            Self::Entities => number(row.entities.len() as f64),
            Self::Rate(label) => number(row.entities.iter().filter(|found| found.label == *label).count() as f64),
            Self::Confidence => scores(None),
            Self::ConfidenceOf(label) => scores(Some(label)),
            Self::NewSurfaces => {
                let new = row.entities.iter().filter_map(|found| found.new);
                new.map(|new| Value::Number(f64::from(u8::from(new)))).collect()
            }
        }
    }

    /// The mean over all values that are numbers; `None` without one.
    pub fn mean(&self, rows: &[Row]) -> Option<f64> {
        let numbers = rows.iter().flat_map(|row| self.values(row)).filter_map(|value| match value {
            Value::Number(number) => Some(number),
            Value::Kind(_) => None,
        });
        let (count, sum) = numbers.fold((0u64, 0.0), |(count, sum), number| (count + 1, sum + number));
        (count > 0).then(|| sum / count as f64)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("text length"),
            Self::Language => f.write_str("language"),
            Self::NewWords => f.write_str("words unseen in training"),
            Self::Entities => f.write_str("entities a text"),
            Self::Rate(label) => write!(f, "{label} a text"),
            Self::Confidence => f.write_str("confidence"),
            Self::ConfidenceOf(label) => write!(f, "confidence in {label}"),
            Self::NewSurfaces => f.write_str("entities unseen in training"),
        }
    }
}
