//! Names by label from a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use schema::{Label, Schema};
use thiserror::Error;

/// Mentions by label, beside those of the training texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lexicon {
    path: PathBuf,
    mentions: BTreeMap<Label, Vec<String>>,
    /// First line of each label.
    lines: BTreeMap<Label, usize>,
}

/// Why a lexicon or thesaurus cannot be used.
#[derive(Debug, Error)]
pub enum LexiconError {
    /// The file could not be read.
    #[error("{path}: cannot be read: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A line is wrong.
    #[error("{path}:{line}: {fault}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        fault: LexiconFault,
    },
    /// No line says anything.
    #[error("{0}: there is no entry in this file")]
    Empty(PathBuf),
}

/// What is wrong with a line of a lexicon or thesaurus.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LexiconFault {
    /// Fewer fields than needed.
    #[error("expected {expected}, separated by tabs")]
    Fields {
        /// What the line should hold.
        expected: &'static str,
    },
    /// A field holds nothing.
    #[error("field {0} is empty")]
    EmptyField(usize),
    /// The label is none.
    #[error("{0}")]
    Label(String),
    /// No text has an entity of this label.
    #[error("no text has an entity of the label `{label}`, so none can be replaced; the labels are {known}")]
    UnknownLabel {
        /// The label.
        label: Label,
        /// Those that there are.
        known: String,
    },
}

/// The lines of a file with their fields, which are separated by tabs and stand without white space around them. Blank
/// lines and those that begin with `#` say nothing.
pub(super) fn rows(
    path: &Path,
    at_least: usize,
    expected: &'static str,
) -> Result<Vec<(usize, Vec<String>)>, LexiconError> {
    let text = fs::read_to_string(path).map_err(|error| LexiconError::Io { path: path.to_owned(), error })?;
    let mut rows = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |fault| LexiconError::Line { path: path.to_owned(), line: index + 1, fault };
        let fields: Vec<String> = line.split('\t').map(|field| field.trim().to_owned()).collect();
        if fields.len() < at_least {
            return Err(wrong(LexiconFault::Fields { expected }));
        }
        if let Some(at) = fields.iter().position(String::is_empty) {
            return Err(wrong(LexiconFault::EmptyField(at + 1)));
        }
        rows.push((index + 1, fields));
    }
    if rows.is_empty() {
        return Err(LexiconError::Empty(path.to_owned()));
    }
    Ok(rows)
}

impl Lexicon {
    /// Reads a file with a label and one or more mentions a line, separated by tabs: `PER<TAB>Ada Lovelace`.
    ///
    /// # Errors
    /// It cannot be read, says nothing, or a line has no mention, an empty field or a wrong label.
    pub fn read(path: &Path) -> Result<Self, LexiconError> {
        let mut lexicon = Self { path: path.to_owned(), ..Self::default() };
        let mut seen: BTreeSet<(Label, String)> = BTreeSet::new();
        for (line, fields) in rows(path, 2, "a label and its mentions")? {
            let wrong = |fault| LexiconError::Line { path: path.to_owned(), line, fault };
            let label = Label::new(&fields[0]).map_err(|error| wrong(LexiconFault::Label(error.to_string())))?;
            lexicon.lines.entry(label.clone()).or_insert(line);
            for mention in &fields[1..] {
                if seen.insert((label.clone(), mention.clone())) {
                    lexicon.mentions.entry(label.clone()).or_default().push(mention.clone());
                }
            }
        }
        Ok(lexicon)
    }

    /// Looks whether every label is one of the schema.
    ///
    /// # Errors
    /// One is not; its first line is named.
    pub fn check(&self, schema: &Schema) -> Result<(), LexiconError> {
        let is_unknown = |(label, _): &(&Label, &usize)| schema.position(label.as_str()).is_none();
        let Some((label, line)) = self.lines.iter().filter(is_unknown).min_by_key(|(_, line)| **line) else {
            return Ok(());
        };
        let known: Vec<&str> = schema.labels().map(Label::as_str).collect();
        let fault = LexiconFault::UnknownLabel { label: label.clone(), known: known.join(", ") };
        Err(LexiconError::Line { path: self.path.clone(), line: *line, fault })
    }

    /// The mentions, by label.
    pub fn mentions(&self) -> &BTreeMap<Label, Vec<String>> {
        &self.mentions
    }
}
