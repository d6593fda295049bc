//! Entities that a source believes to be in a text, before anybody has decided.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Label, Span};

/// How a suggestion was found in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grounding {
    /// Word for word.
    Exact,
    /// But for case, white space, and characters that Unicode or typography counts as the same.
    Folded,
    /// But for a few letters.
    Fuzzy,
    /// In several places or with several labels, and nothing decides.
    Ambiguous,
    /// Nowhere.
    Ungrounded,
}

/// Not the name of a [`Grounding`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of exact, folded, fuzzy, ambiguous, ungrounded")]
pub struct UnknownGrounding(String);

impl Grounding {
    /// Every one, the surest first.
    pub const ALL: [Self; 5] = [Self::Exact, Self::Folded, Self::Fuzzy, Self::Ambiguous, Self::Ungrounded];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Folded => "folded",
            Self::Fuzzy => "fuzzy",
            Self::Ambiguous => "ambiguous",
            Self::Ungrounded => "ungrounded",
        }
    }

    /// Whether one place was found, and no other would do.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Exact | Self::Folded | Self::Fuzzy)
    }
}

impl fmt::Display for Grounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Grounding {
    type Err = UnknownGrounding;

    fn from_str(name: &str) -> Result<Self, UnknownGrounding> {
        let found = Self::ALL.into_iter().find(|status| status.name() == name);
        found.ok_or_else(|| UnknownGrounding(name.escape_debug().to_string()))
    }
}

/// What kind of source a suggestion comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// A large language model behind a server.
    Llm,
    /// A model of Nomen's or transformers'.
    Bundle,
    /// A list of names.
    Lexicon,
    /// Somebody.
    Person,
    /// Several sources, weighed.
    Combined,
}

/// Not the name of a [`OriginKind`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of llm, bundle, lexicon, person, combined")]
pub struct UnknownOriginKind(String);

impl OriginKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Llm, Self::Bundle, Self::Lexicon, Self::Person, Self::Combined];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Bundle => "bundle",
            Self::Lexicon => "lexicon",
            Self::Person => "person",
            Self::Combined => "combined",
        }
    }
}

impl fmt::Display for OriginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for OriginKind {
    type Err = UnknownOriginKind;

    fn from_str(name: &str) -> Result<Self, UnknownOriginKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownOriginKind(name.escape_debug().to_string()))
    }
}

/// Whose suggestion it is. Written as `KIND:NAME`, such as `llm:qwen3-8b`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The kind of source.
    pub kind: OriginKind,
    /// Its name: of the model, of the file, of the person.
    pub name: String,
    /// Its version, where there is one; else empty.
    pub version: String,
    /// The first 16 hexadecimal digits of the SHA-256 of the instructions that an LLM was given; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
}

impl Origin {
    /// A source without version and prompt.
    pub fn new(kind: OriginKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), version: String::new(), prompt: String::new() }
    }

    /// The kind and name that a `source` tells; `None` where it is no source of suggestions.
    pub fn of_source(source: &str) -> Option<Self> {
        let (kind, name) = source.split_once(':')?;
        Some(Self::new(kind.parse().ok()?, name))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// An entity that a source believes to be in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Where it stands; `None` where its quote is not in the text. Of an ambiguous one the first place that would do.
    pub span: Option<Span>,
    /// What it is.
    pub label: Label,
    /// How sure the source is, between 0 and 1, where it says so.
    pub score: Option<f32>,
    /// How it was found.
    pub status: Grounding,
    /// What the source wrote.
    pub quote: String,
    /// Letters that differ between the quote and the text, for [`Grounding::Fuzzy`]; else 0.
    pub edits: u32,
    /// What the source said when it was asked again about this one.
    pub verified: Option<bool>,
    /// Whose it is.
    pub origin: Origin,
}

impl Suggestion {
    /// A suggestion that stands in the text as it was written.
    pub fn exact(text: &str, span: Span, label: Label, score: Option<f32>, origin: Origin) -> Self {
        let quote = span.quote(text).to_owned();
        Self { span: Some(span), label, score, status: Grounding::Exact, quote, edits: 0, verified: None, origin }
    }

    /// Whether it can be taken for an entity: one place, not refused when asked again, and at least this sure where
    /// its source says how sure it is.
    pub fn is_entity(&self, threshold: f32) -> bool {
        self.status.is_decided()
            && self.verified != Some(false)
            && self.score.is_none_or(|score| score >= threshold)
            && self.span.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for status in Grounding::ALL {
            assert_eq!(status.name().parse(), Ok(status));
        }
        for kind in OriginKind::ALL {
            let origin = Origin::new(kind, "a:b c");
            assert_eq!(Origin::of_source(&origin.to_string()), Some(origin));
        }
        assert!("sure".parse::<Grounding>().is_err());
        assert_eq!(Origin::of_source("Anna"), None);
        assert_eq!(Origin::of_source("https://example.org"), None);
    }
}
