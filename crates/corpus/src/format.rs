//! The closed set of file formats.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A file format. Its name is what users write and scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Nomen JSONL, the canonical format: holds everything that a document can say.
    Jsonl,
    /// CoNLL: a token a line, its tag in the last column, a blank line after each sentence.
    Conll,
    /// spaCy's `[[text, {"entities": [[start, end, label]]}], ...]`, or such pairs one a line.
    SpacyList,
    /// spaCy's DocBin, the binary file that `spacy train` reads.
    SpacyDocbin,
    /// Hugging Face rows, `{"id","tokens","ner_tags"}`, as JSON lines or Parquet.
    Huggingface,
    /// Plain text, one text a line.
    Text,
}

/// Not the name of a format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown format `{name}`: expected one of {}", Format::names())]
pub struct UnknownFormat {
    /// What was given.
    pub name: String,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::Jsonl, Self::Conll, Self::SpacyList, Self::SpacyDocbin, Self::Huggingface, Self::Text];

    /// The format's name, as commands take it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Conll => "conll",
            Self::SpacyList => "spacy-list",
            Self::SpacyDocbin => "spacy-docbin",
            Self::Huggingface => "huggingface",
            Self::Text => "text",
        }
    }

    /// The names of all formats, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat { name: name.escape_debug().to_string() })
    }
}
