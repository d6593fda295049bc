//! What is wrong with the data before any of it is trained on.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use schema::{Document, Label};
use thiserror::Error;

/// A data set and the file that it was read from, which warnings and errors name.
#[derive(Debug, Clone, Copy)]
pub struct Source<'d> {
    /// The file.
    pub path: &'d Path,
    /// Its documents.
    pub documents: &'d [Document],
}

/// Data that nothing can be learned from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DataError {
    /// There is no text.
    #[error("{}: holds no text; give a file with annotated texts", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// There are texts, but no entity in any of them.
    #[error(
        "{}: none of its {documents} texts has an entity (in CoNLL: every tag is O), so there is nothing to learn; annotate some, \
         or look whether the file was read as what it is",
        path.display()
    )]
    NoEntity {
        /// The file.
        path: PathBuf,
        /// How many texts there are.
        documents: usize,
    },
}

/// Something about the data that a user should know before a run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Warning {
    /// Dev or test has no entity.
    #[error(
        "{}: none of its {documents} texts has an entity, so every score on it is 0; annotate some, or leave the file out",
        path.display()
    )]
    NothingToScore {
        /// The file.
        path: PathBuf,
        /// How many texts there are.
        documents: usize,
    },
    /// Labels of dev or test that no training text has.
    #[error(
        "{}: {}, which the training data never has, so all of these will be missed; add examples to the training data, \
         or correct the labels",
        path.display(), counted(labels)
    )]
    LabelsNotTrained {
        /// The file.
        path: PathBuf,
        /// The labels and how often they occur.
        labels: BTreeMap<Label, usize>,
    },
    /// Labels with few entities in the training data.
    #[error(
        "{}: few examples of {}; expect little of these labels, and add examples (50 and more) or merge them into others",
        path.display(), counted(labels)
    )]
    FewExamples {
        /// The file.
        path: PathBuf,
        /// The labels and how often they occur.
        labels: BTreeMap<Label, usize>,
    },
    /// One text is far longer than the others.
    #[error(
        "{}: document {document} has {bytes} bytes of text, the median has {median}; it is read in windows, none of it is \
         cut off. Where it holds many texts, put each on its own",
        path.display()
    )]
    LongDocument {
        /// The file.
        path: PathBuf,
        /// Position of the document, from 1.
        document: usize,
        /// Length of its text.
        bytes: usize,
        /// Median length of the file's texts.
        median: usize,
    },
    /// Texts without a visible character.
    #[error("{}: {texts} texts are blank (the first is document {first}) and teach nothing; they can be removed", path.display())]
    Blank {
        /// The file.
        path: PathBuf,
        /// How many.
        texts: usize,
        /// Position of the first, from 1.
        first: usize,
    },
    /// Texts of dev or test that are in the training data too.
    #[error(
        "{}: {texts} of its {documents} texts are in {} too (the first is document {first}); their scores say \
         nothing about new text; split the data so that no text is on both sides",
        path.display(), train.display()
    )]
    Leak {
        /// The file.
        path: PathBuf,
        /// The training file.
        train: PathBuf,
        /// Texts of the file that are in both.
        texts: usize,
        /// Texts of the file.
        documents: usize,
        /// Position of the first in the file, from 1.
        first: usize,
    },
    /// The same text is annotated in two ways.
    #[error(
        "{}: {texts} texts occur again with other entities (documents {first} and {second} are the first); the model \
         learns both; keep one annotation of each text",
        path.display()
    )]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// How many.
        texts: usize,
        /// Position of the first of a pair, from 1.
        first: usize,
        /// Position of the second.
        second: usize,
    },
    /// No training text says what is no entity.
    #[error(
        "{}: all of its {documents} texts are marked as incomplete, so nothing says what is no entity and the model will find \
         too much; add some texts that are annotated completely",
        path.display()
    )]
    NoNegatives {
        /// The file.
        path: PathBuf,
        /// How many texts there are.
        documents: usize,
    },
    /// Gold entities that no tags can express.
    #[error(
        "{}: {unreachable} of {entities} entities start or end where no word or piece does, so no model of this kind can find \
         them exactly; they are listed with the run. With alignment = \"piece\" entities may end inside of words",
        path.display()
    )]
    Unreachable {
        /// The file.
        path: PathBuf,
        /// How many.
        unreachable: usize,
        /// Entities of the file.
        entities: usize,
    },
}

/// Labels with fewer examples than this are warned of.
const FEW: usize = 10;
/// A text is long if it is so many times as long as the median.
const LONG: usize = 20;
/// Bytes below which no text is long: about what fits a window.
const SHORT: usize = 2_000;

/// Looks through the data of a run, in time linear in its size. Nothing is tokenized.
///
/// # Errors
/// A file holds no text, or the training data no entity.
pub fn check(train: Source<'_>, dev: Option<Source<'_>>, test: Option<Source<'_>>) -> Result<Vec<Warning>, DataError> {
    for Source { path, documents } in [Some(train), dev, test].into_iter().flatten() {
        if documents.iter().all(is_blank) {
            return Err(DataError::Empty { path: path.to_owned() });
        }
    }
    let labels = labels(train.documents);
    if labels.is_empty() {
        return Err(DataError::NoEntity { path: train.path.to_owned(), documents: train.documents.len() });
    }
    let mut warnings = of_train(train, &labels);
    let known: HashSet<&str> = train.documents.iter().filter(|document| !is_blank(document)).map(normal).collect();
    for scored in [dev, test].into_iter().flatten() {
        of_scored(scored, train.path, &labels, &known, &mut warnings);
    }
    for source in [Some(train), dev, test].into_iter().flatten() {
        warnings.extend(blank(source));
        warnings.extend(long(source));
    }
    Ok(warnings)
}

impl Warning {
    /// A warning of gold entities that no tags can express, if there are any.
    pub fn of_unreachable(source: Source<'_>, unreachable: usize) -> Option<Self> {
        let entities = source.documents.iter().map(|document| document.entities().len()).sum();
        (unreachable > 0).then(|| Self::Unreachable { path: source.path.to_owned(), unreachable, entities })
    }
}

fn of_train(train: Source<'_>, labels: &BTreeMap<Label, usize>) -> Vec<Warning> {
    let Source { path, documents } = train;
    let mut warnings = Vec::new();
    let few: BTreeMap<_, _> = labels.clone().into_iter().filter(|(_, count)| *count < FEW).collect();
    if !few.is_empty() {
        warnings.push(Warning::FewExamples { path: path.to_owned(), labels: few });
    }
    if documents.iter().all(|document| document.partial) {
        warnings.push(Warning::NoNegatives { path: path.to_owned(), documents: documents.len() });
    }
    warnings.extend(contradiction(train));
    warnings
}

fn of_scored(
    scored: Source<'_>,
    train: &Path,
    trained: &BTreeMap<Label, usize>,
    known: &HashSet<&str>,
    warnings: &mut Vec<Warning>,
) {
    let (path, documents) = (scored.path.to_owned(), scored.documents.len());
    let mut labels = labels(scored.documents);
    if labels.is_empty() {
        warnings.push(Warning::NothingToScore { path: path.clone(), documents });
    }
    labels.retain(|label, _| !trained.contains_key(label));
    if !labels.is_empty() {
        warnings.push(Warning::LabelsNotTrained { path: path.clone(), labels });
    }
    let mut leaked = positions(scored.documents, |document| known.contains(normal(document)));
    if let Some(first) = leaked.next() {
        let train = train.to_owned();
        warnings.push(Warning::Leak { path, train, texts: 1 + leaked.count(), documents, first });
    }
}

fn blank(source: Source<'_>) -> Option<Warning> {
    let mut blank = positions(source.documents, is_blank);
    let first = blank.next()?;
    Some(Warning::Blank { path: source.path.to_owned(), texts: 1 + blank.count(), first })
}

fn long(source: Source<'_>) -> Option<Warning> {
    let mut lengths: Vec<usize> = source.documents.iter().map(|document| document.text().len()).collect();
    let (document, bytes) = lengths.iter().copied().enumerate().max_by_key(|(_, length)| *length)?;
    let middle = (lengths.len() - 1) / 2;
    let median = *lengths.select_nth_unstable(middle).1;
    // A single text is its own median, but no less a surprise where many were expected.
    let far = bytes > median.saturating_mul(LONG) || lengths.len() == 1 && bytes > SHORT * LONG;
    (far && bytes > SHORT).then(|| Warning::LongDocument {
        path: source.path.to_owned(),
        document: document + 1,
        bytes,
        median,
    })
}

fn contradiction(train: Source<'_>) -> Option<Warning> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(train.documents.len());
    let mut found: Option<(usize, usize)> = None;
    let mut texts = 0;
    for (position, document) in train.documents.iter().enumerate() {
        let first = *seen.entry(document.text()).or_insert(position);
        let other = train.documents[first].entities();
        let same = other.len() == document.entities().len()
            && other.iter().zip(document.entities()).all(|(a, b)| a.same_mention(b));
        if !same {
            texts += 1;
            found.get_or_insert((first + 1, position + 1));
        }
    }
    found.map(|(first, second)| Warning::Contradiction { path: train.path.to_owned(), texts, first, second })
}

fn labels(documents: &[Document]) -> BTreeMap<Label, usize> {
    let mut labels = BTreeMap::new();
    for entity in documents.iter().flat_map(Document::entities) {
        *labels.entry(entity.label.clone()).or_insert(0) += 1;
    }
    labels
}

fn is_blank(document: &Document) -> bool {
    normal(document).is_empty()
}

/// The text by which two documents are the same.
fn normal(document: &Document) -> &str {
    document.text().trim()
}

/// Positions from 1 of the documents of which something holds.
fn positions<'d>(
    documents: &'d [Document],
    mut holds: impl FnMut(&Document) -> bool + 'd,
) -> impl Iterator<Item = usize> + 'd {
    documents.iter().enumerate().filter(move |(_, document)| holds(document)).map(|(position, _)| position + 1)
}

fn counted(labels: &BTreeMap<Label, usize>) -> String {
    labels.iter().map(|(label, count)| format!("{label} ({count})")).collect::<Vec<_>>().join(", ")
}
