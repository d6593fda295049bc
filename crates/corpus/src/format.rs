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
    /// Prodigy's JSONL.
    Prodigy,
    /// doccano's JSONL, of sequence labelling and of projects with relations.
    Doccano,
    /// Label Studio's JSON, with annotations or predictions.
    LabelStudio,
    /// Argilla's records, with responses or suggestions.
    Argilla,
    /// GLiNER's training data: tokens and spans of them.
    Gliner,
    /// spaCy's DocBin, the binary file that `spacy train` reads.
    SpacyDocbin,
    /// Hugging Face rows, `{"id","tokens","ner_tags"}`, as JSON lines or Parquet.
    Huggingface,
    /// Plain text, one text a line.
    Text,
    /// Markdown, a file a text. Read only.
    Markdown,
    /// A web page, of which the main part is the text. Read only.
    Html,
    /// A table with named columns, separated by commas.
    Csv,
    /// A table with named columns, separated by tabs.
    Tsv,
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
    pub const ALL: [Self; 15] = [
        Self::Jsonl,
        Self::Conll,
        Self::SpacyList,
        Self::SpacyDocbin,
        Self::Huggingface,
        Self::Prodigy,
        Self::Doccano,
        Self::LabelStudio,
        Self::Argilla,
        Self::Gliner,
        Self::Text,
        Self::Markdown,
        Self::Html,
        Self::Csv,
        Self::Tsv,
    ];

    /// The format's name, as commands take it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Conll => "conll",
            Self::SpacyList => "spacy-list",
            Self::Prodigy => "prodigy",
            Self::Doccano => "doccano",
            Self::LabelStudio => "label-studio",
            Self::Argilla => "argilla",
            Self::Gliner => "gliner",
            Self::SpacyDocbin => "spacy-docbin",
            Self::Huggingface => "huggingface",
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }

    /// Whether files of this format can be written; the others are texts to annotate or to tag.
    pub fn is_written(self) -> bool {
        !matches!(self, Self::Markdown | Self::Html)
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
