//! One text and what was found in it.

use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use schema::{
    Entity, Label,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::profile::Known;

/// How much of a text the detection of its language looks at, in bytes.
const LOOKED_AT: usize = 4_000;
/// Bytes of the SHA-256 that stand for a text.
const HASH_BYTES: usize = 8;

/// What a log keeps of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TextKeeping {
    /// Nothing.
    Nothing,
    /// The first digits of its SHA-256: whoever has the text finds its row, and nobody reads it there. A text that is short
    /// enough to be guessed can be.
    #[default]
    Hash,
    /// All of it.
    Whole,
}

/// A line of the log: a text and what a model found in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What the model is called.
    pub model: String,
    /// The first digits of its version: the SHA-256 of its `nomen.json`.
    pub version: String,
    /// The text, where the log keeps texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The first 16 digits of the text's SHA-256, where the log keeps hashes or texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Its length in code points.
    pub chars: u64,
    /// The code of its language in ISO 639-3; nothing where the text does not tell it reliably.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Its words (Unicode Standard Annex 29).
    pub words: u64,
    /// How many of them the training texts did not have; nothing where the model does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_words: Option<u64>,
    /// What was found.
    pub entities: Vec<Found>,
}

/// An entity in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its first code point.
    pub start: u64,
    /// One past its last code point.
    pub end: u64,
    /// Its label.
    pub label: Label,
    /// How sure the model was, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Whether no entity of the training texts reads like it; nothing where the model does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<bool>,
}

impl Row {
    /// What is to be known of a text and the entities that were found in it; spans index the text's bytes. `known` is what
    /// training has seen.
    pub fn of(text: &str, entities: &[Entity], known: Option<&Known>) -> Self {
        let offsets = Offsets::new(text, Unit::CodePoints);
        let found = |entity: &Entity| {
            let (start, end) = offsets.of(entity.span);
            Found {
                start: start as u64,
                end: end as u64,
                label: entity.label.clone(),
                // Four digits are all that a score is worth.
                score: entity.score.map(|score| (f64::from(score) * 1e4).round() / 1e4),
                new: known.map(|known| !known.has_surface(entity.span.quote(text))),
            }
        };
        let (words, new_words) = Known::count(known, text);
        Self {
            at: 0,
            model: String::new(),
            version: String::new(),
            text: None,
            hash: None,
            chars: offsets.len() as u64,
            language: language(text).map(str::to_owned),
            words,
            new_words: known.map(|_| new_words),
            entities: entities.iter().map(found).collect(),
        }
    }

    /// The same with what is to be kept of its text.
    #[must_use]
    pub fn keeping(self, text: &str, keeping: TextKeeping) -> Self {
        match keeping {
            TextKeeping::Nothing => Self { text: None, hash: None, ..self },
            TextKeeping::Hash => Self { text: None, hash: Some(hash(text)), ..self },
            TextKeeping::Whole => Self { text: Some(text.to_owned()), hash: Some(hash(text)), ..self },
        }
    }

    /// The same at a moment; moments before 1970 count as its beginning.
    #[must_use]
    pub fn at(self, at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX), ..self }
    }

    /// The lowest score of its entities.
    pub fn lowest_score(&self) -> Option<f64> {
        self.entities.iter().filter_map(|found| found.score).min_by(f64::total_cmp)
    }
}

fn hash(text: &str) -> String {
    let mut digits = String::with_capacity(2 * HASH_BYTES);
    for byte in &Sha256::digest(text.as_bytes())[..HASH_BYTES] {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The language that a text's beginning tells reliably.
fn language(text: &str) -> Option<&'static str> {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let info = whatlang::detect(&text[..end])?;
    info.is_reliable().then(|| info.lang().code())
}

#[cfg(test)]
mod tests {
    use schema::Span;

    use super::*;

    #[test]
    fn a_row_counts_in_code_points_and_keeps_of_the_text_what_it_is_told() {
        let text = "Ærø🎉 and Rome";
        let place = Label::new("PLACE").unwrap();
        let entity = |start, end| Entity {
            score: Some(0.123_456),
            ..Entity::new(Span::of(text, start..end).unwrap(), place.clone())
        };
        let known = Known::of(["we saw rome"].into_iter(), ["ROME"].into_iter());
        let row = Row::of(text, &[entity(0, 5), entity(14, 18)], Some(&known));
        let places: Vec<_> =
            row.entities.iter().map(|found| (found.start, found.end, found.score, found.new)).collect();
        assert_eq!(places, [(0, 3, Some(0.1235), Some(true)), (9, 13, Some(0.1235), Some(false))]);
        assert_eq!((row.chars, row.words, row.new_words), (13, 3, Some(2)));
        assert_eq!(Row::of(text, &[], None).new_words, None);

        let kept = |keeping| serde_json::to_string(&row.clone().keeping(text, keeping)).unwrap();
        assert!(kept(TextKeeping::Whole).contains(text));
        let hashed = kept(TextKeeping::Hash);
        assert!(hashed.contains("\"hash\":\"") && !hashed.contains("Rome"), "{hashed}");
        let nothing = kept(TextKeeping::Nothing);
        assert!(!nothing.contains("hash") && !nothing.contains("Rome"), "{nothing}");
    }

    #[test]
    fn the_language_is_told_where_the_text_tells_it() {
        let german = "Die Katze sitzt auf dem Dach und schaut den Vögeln zu, die über den Garten fliegen.";
        assert_eq!(language(german), Some("deu"));
        assert_eq!(language(""), None);
        // A character across the end of what is looked at.
        assert_eq!(language(&"é".repeat(LOOKED_AT + 1)).is_some(), language(&"é".repeat(LOOKED_AT / 2)).is_some());
    }
}
