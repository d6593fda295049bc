//! What comes into a project: the documents of a file, all of them or none.

use std::collections::BTreeMap;

use corpus::{ReadError, ReadOptions};
use schema::{Document, Label, LabelDefinition, Origin, OriginKind, Schema, Suggestion};
use store::{Given, Import, Imported, Number, Project, Store, StoreError, UserId};
use thiserror::Error;

use crate::suggest::record;

/// Documents that are added at once.
const CHUNK: usize = 500;
/// Unknown labels that an error names.
const NAMED: usize = 10;

/// Why a file does not come in. Nothing of it has.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A place of the file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What a document carries as suggestions is none.
    #[error("document {number} of the file: {error}")]
    Suggestions {
        /// Its position in the file, from 1.
        number: usize,
        /// What is wrong with it.
        error: record::RecordError,
    },
    /// The file has labels that the project does not have.
    #[error("the project has no label {0}; add it to the schema, or import with new labels added")]
    Labels(String),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a file comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// What the annotations in it are: decided, or something to look at.
    pub given: Given,
    /// Labels that the project does not have are added to its schema. A project without labels always takes those of its first
    /// file.
    pub adds_labels: bool,
}

/// Adds documents to a project, in chunks; the same documents again are known and add nothing.
///
/// Suggestions that documents carry ([`record`]) are put in the place of those that their sources made before, also for documents that
/// were there; so is what came with a document that is still to be annotated.
///
/// # Errors
/// What documents carry as suggestions is none, they have labels that the project does not have, or the database fails; what was added before a failure of the database stays,
/// and the same import again goes on behind it.
pub async fn documents(
    store: &Store,
    project: &Project,
    user: UserId,
    documents: &[Document],
    how: How,
) -> Result<Imported, ImportError> {
    let suggested = (1..).zip(documents).map(|(number, document)| {
        suggested(document, how.given).map_err(|error| ImportError::Suggestions { number, error })
    });
    let suggested: Vec<Vec<Suggestion>> = suggested.collect::<Result<_, _>>()?;
    let suggested_labels = suggested.iter().flatten().map(|suggestion| &suggestion.label);
    let labels = documents.iter().flat_map(Document::entities).map(|entity| &entity.label).chain(suggested_labels);
    let project = with_labels(store, project, user, labels, how.adds_labels).await?;
    let mut import = Import::new(store, project.id, user, how.given);
    for (chunk, suggested) in documents.chunks(CHUNK).zip(suggested.chunks(CHUNK)) {
        let numbers = import.add(chunk).await?;
        let mut by_origin: BTreeMap<&Origin, Vec<(Number, Vec<Suggestion>)>> = BTreeMap::new();
        for (number, suggestions) in numbers.into_iter().zip(suggested) {
            for suggestion in suggestions {
                let of_origin = by_origin.entry(&suggestion.origin).or_default();
                match of_origin.last_mut().filter(|(last, _)| *last == number) {
                    Some((_, known)) => known.push(suggestion.clone()),
                    None => of_origin.push((number, vec![suggestion.clone()])),
                }
            }
        }
        for (origin, by_document) in by_origin {
            store.suggest(project.id, origin, &by_document).await?;
        }
    }
    Ok(import.told().clone())
}

/// What whoever annotates a document is shown beside it.
fn suggested(document: &Document, given: Given) -> Result<Vec<Suggestion>, record::RecordError> {
    let carried = record::read(document)?;
    if !carried.is_empty() || given == Given::Decided && !document.partial {
        return Ok(carried);
    }
    let of_file = || Origin::new(OriginKind::Person, "import");
    let shown = document.entities().iter().map(|entity| {
        let origin = entity.source.as_deref().map_or_else(of_file, |source| {
            Origin::of_source(source).unwrap_or_else(|| Origin::new(OriginKind::Person, source))
        });
        Suggestion::exact(document.text(), entity.span, entity.label.clone(), entity.score, origin)
    });
    Ok(shown.collect())
}

/// All documents of a file's bytes.
///
/// # Errors
/// The first place that cannot be read.
pub fn read(bytes: &[u8], name: &str, options: &ReadOptions) -> Result<Vec<Document>, ImportError> {
    let mut reader = corpus::read_with(bytes, name, options)?;
    Ok(reader.by_ref().collect::<Result<Vec<_>, _>>()?)
}

/// The project, with these labels in its schema.
async fn with_labels(
    store: &Store,
    project: &Project,
    user: UserId,
    labels: impl Iterator<Item = &Label>,
    adds: bool,
) -> Result<Project, ImportError> {
    let mut missing: Vec<Label> = Vec::new();
    for label in labels {
        if project.schema.position(label.as_str()).is_none() && !missing.contains(label) {
            missing.push(label.clone());
        }
    }
    if missing.is_empty() {
        return Ok(project.clone());
    }
    if !adds && !project.schema.is_empty() {
        let named: Vec<String> = missing.iter().take(NAMED).map(|label| format!("`{label}`")).collect();
        let more = if missing.len() > NAMED { format!(" and {} more", missing.len() - NAMED) } else { String::new() };
        return Err(ImportError::Labels(named.join(", ") + &more));
    }
    missing.sort();
    let mut labels: Vec<LabelDefinition> = project.schema.definitions().to_vec();
    labels.extend(missing.into_iter().map(LabelDefinition::undefined));
    let schema = Schema::new(labels).map_err(|error| StoreError::Invalid(error.to_string()))?;
    Ok(store.define(project.id, project.version, &schema, &project.guidelines, user).await?)
}
