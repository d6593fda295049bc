//! What comes into a project: the documents of a file, all of them or none.

use corpus::{ReadError, ReadOptions};
use schema::{Document, Label, LabelDefinition, Schema};
use store::{Given, Import, Imported, Project, Store, StoreError, UserId};
use thiserror::Error;

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
/// # Errors
/// They have labels that the project does not have, or the database fails; what was added before a failure of the database stays,
/// and the same import again goes on behind it.
pub async fn documents(
    store: &Store,
    project: &Project,
    user: UserId,
    documents: &[Document],
    how: How,
) -> Result<Imported, ImportError> {
    let project = with_labels(store, project, user, documents, how.adds_labels).await?;
    let mut import = Import::new(store, project.id, user, how.given);
    for chunk in documents.chunks(CHUNK) {
        import.add(chunk).await?;
    }
    Ok(import.told().clone())
}

/// All documents of a file's bytes.
///
/// # Errors
/// The first place that cannot be read.
pub fn read(bytes: &[u8], name: &str, options: &ReadOptions) -> Result<Vec<Document>, ImportError> {
    let mut reader = corpus::read_with(bytes, name, options)?;
    Ok(reader.by_ref().collect::<Result<Vec<_>, _>>()?)
}

/// The project, with the labels of the documents in its schema.
async fn with_labels(
    store: &Store,
    project: &Project,
    user: UserId,
    documents: &[Document],
    adds: bool,
) -> Result<Project, ImportError> {
    let mut missing: Vec<Label> = Vec::new();
    for entity in documents.iter().flat_map(Document::entities) {
        if project.schema.position(entity.label.as_str()).is_none() && !missing.contains(&entity.label) {
            missing.push(entity.label.clone());
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
