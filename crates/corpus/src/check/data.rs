//! What is checked: files with their documents, and what is known beside them.

use std::path::{Path, PathBuf};

use schema::{Document, Entity, Schema, Span};

use super::{Place, Suspect};
use crate::{ReadError, Reader, Report};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// To learn from.
    Train,
    /// To choose by.
    Dev,
    /// To judge on.
    Test,
}

impl Role {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    /// The role that a file's name tells, by a word of it: `wnut17-train.conll`, `dev.json`, `ncbi_devel.tsv`.
    pub fn of_name(path: &Path) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.to_ascii_lowercase();
        let mut words = stem.split(|character: char| !character.is_ascii_alphanumeric());
        words.find_map(|word| match word {
            "train" | "training" => Some(Self::Train),
            "dev" | "devel" | "development" | "valid" | "validation" | "val" => Some(Self::Dev),
            "test" | "testing" | "heldout" => Some(Self::Test),
            _ => None,
        })
    }
}

/// A file as it was read.
#[derive(Debug)]
pub struct File {
    /// Its path.
    pub path: PathBuf,
    /// What it is for, where that is known.
    pub role: Option<Role>,
    /// What could be read of it.
    pub documents: Vec<Document>,
    /// For each document its lines ([`Reader::lines`]).
    pub lines: Vec<Vec<usize>>,
    /// What the reader found.
    pub report: Report,
    /// What could not be read.
    pub errors: Vec<ReadError>,
    /// Entities that the model to come cannot find, as whoever knows its tokens says.
    pub unreachable: Vec<Unreachable>,
    /// Where a model contradicts the annotation, as whoever has one says.
    pub suspects: Vec<Suspect>,
}

/// An entity that no tokens of a model can express.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Position of the document, from 0.
    pub document: usize,
    /// Position of the entity in it.
    pub entity: usize,
    /// Why.
    pub reason: String,
}

/// Everything that the checks look at.
#[derive(Debug, Clone, Copy)]
pub struct Data<'d> {
    /// The files, in the order in which they were given.
    pub files: &'d [File],
    /// The labels that there should be.
    pub schema: Option<&'d Schema>,
}

impl File {
    /// Reads to the end; what cannot be read is kept as errors.
    pub fn read(mut reader: Reader<'_>, role: Option<Role>) -> Self {
        let (mut documents, mut lines, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(next) = reader.next() {
            match next {
                Ok(document) => {
                    documents.push(document);
                    lines.push(reader.lines().to_vec());
                }
                Err(error) => errors.push(error),
            }
        }
        let path = reader.path().to_owned();
        let (unreachable, suspects) = Default::default();
        Self { path, role, documents, lines, report: reader.into_report(), errors, unreachable, suspects }
    }

    /// The line on which a byte of a document stands, where the reader knows it.
    pub fn line(&self, document: usize, byte: usize) -> Option<usize> {
        let lines = self.lines.get(document)?;
        let tokens = self.documents.get(document)?.tokens().unwrap_or_default();
        if lines.len() > 1 && lines.len() == tokens.len() {
            return lines.get(tokens.partition_point(|token| token.end() <= byte)).or(lines.last()).copied();
        }
        lines.first().copied()
    }

    /// Entities of all documents.
    pub fn entity_count(&self) -> usize {
        self.documents.iter().map(|document| document.entities().len()).sum()
    }
}

/// A document and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located<'d> {
    /// Position of the file.
    pub(super) file: usize,
    /// Position in the file.
    pub(super) index: usize,
    /// The document.
    pub(super) document: &'d Document,
}

impl<'d> Data<'d> {
    pub(super) fn documents(&self) -> impl Iterator<Item = Located<'d>> + use<'d> {
        self.files.iter().enumerate().flat_map(|(file, source)| {
            source.documents.iter().enumerate().map(move |(index, document)| Located { file, index, document })
        })
    }

    /// All documents, those of train before dev before test: what repeats is told where it should not be.
    pub(super) fn documents_by_role(&self) -> impl Iterator<Item = Located<'d>> + use<'d> {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|file| (self.files[*file].role.is_none(), self.files[*file].role));
        let files = self.files;
        order.into_iter().flat_map(move |file| {
            files[file].documents.iter().enumerate().map(move |(index, document)| Located { file, index, document })
        })
    }

    pub(super) fn entities(&self) -> impl Iterator<Item = (Located<'d>, &'d Entity)> + use<'d> {
        self.documents().flat_map(|located| located.document.entities().iter().map(move |entity| (located, entity)))
    }

    /// A document as a whole.
    pub(super) fn place(&self, located: Located<'_>) -> Place {
        let line = self.files[located.file].line(located.index, 0);
        Place { line, document: Some(located.index), ..Place::file(located.file) }
    }

    /// A part of a document.
    pub(super) fn part(&self, located: Located<'_>, span: Span) -> Place {
        let line = self.files[located.file].line(located.index, span.start());
        Place { line, span: Some(span), ..self.place(located) }
    }

    /// An entity.
    pub(super) fn mention(&self, located: Located<'_>, entity: &Entity) -> Place {
        Place { label: Some(entity.label.clone()), ..self.part(located, entity.span) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_whole_word_of_the_name() {
        let role = |name: &str| Role::of_name(Path::new(name));
        assert_eq!(role("data/test/wnut17-train.conll"), Some(Role::Train));
        assert_eq!(role("ncbi_devel.tsv"), Some(Role::Dev));
        assert_eq!(role("Test.jsonl"), Some(Role::Test));
        assert_eq!(role("latest.jsonl"), None);
    }
}
