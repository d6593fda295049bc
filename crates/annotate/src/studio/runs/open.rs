//! What the model of a run says of documents that nobody has annotated, and their order by it.

use std::path::Path;

use schema::{Document, Origin, OriginKind, Suggestion};
use store::{Number, Project, RunId, Store};

use super::data;
use crate::{
    queue::Order,
    studio::{Refusal, ranking},
};

/// The file of open documents, without its extension.
const OPEN: &str = "open";
/// The file of what the model finds in them, without its extension.
pub const FOUND: &str = "found";
/// What the models of a project's runs are called as a source; each takes the place of the one before.
const SOURCE: &str = "model of this project";
/// Documents whose suggestions are stored at once.
const CHUNK: usize = 500;

/// Leaves the open documents in the run's folder, in `open.jsonl`. Gives how many there are.
///
/// # Errors
/// The database fails, or the folder cannot be written.
pub async fn write(store: &Store, project: &Project, run: RunId, folder: &Path) -> Result<usize, Refusal> {
    let pool = ranking::pool(store, project, seed(run)).await?;
    let documents: Vec<(Number, Document)> =
        pool.into_iter().map(|open| (open.number, Document::new(open.text))).collect();
    data::write(folder, OPEN, &documents)?;
    Ok(documents.len())
}

/// The file with the open documents of a run.
pub fn path(folder: &Path) -> std::path::PathBuf {
    folder.join(OPEN).with_extension("jsonl")
}

/// Puts what the model found in the open documents beside them as suggestions, and ranks them.
///
/// # Errors
/// The model left something else than what it was asked for, or the database fails.
pub async fn take(store: &Store, project: &Project, run: RunId, folder: &Path, order: Order) -> Result<(), Refusal> {
    let numbers = data::numbers(folder, OPEN)?;
    let (open, found) = (data::read(folder, OPEN)?, data::read(folder, FOUND)?);
    let is_same = |(open, found): (&Document, &Document)| open.text() == found.text();
    if open.len() != numbers.len() || open.len() != found.len() || !open.iter().zip(&found).all(is_same) {
        return Err(Refusal::Failed(format!("{}: the model tagged other texts than it was given", folder.display())));
    }
    let origin = Origin { version: format!("run {}", run.0), ..Origin::new(OriginKind::Bundle, SOURCE) };
    let all: Vec<(Number, Document)> = numbers.into_iter().zip(found).collect();
    for chunk in all.chunks(CHUNK) {
        let by_document: Vec<(Number, Vec<Suggestion>)> =
            chunk.iter().map(|(number, document)| (*number, suggested(document, &origin))).collect();
        store.suggest(project.id, &origin, &by_document).await?;
    }
    let text =
        |(number, document): &(Number, Document)| ranking::Open { number: *number, text: document.text().to_owned() };
    ranking::order(store, project, all.iter().map(text).collect(), order, seed(run)).await?;
    Ok(())
}

/// Number of documents that the run of a folder learned from and was judged by, where it ordered what is open; else 0.
pub fn learned_from(folder: &Path) -> u64 {
    if !path(folder).exists() {
        return 0;
    }
    let of = |name| data::numbers(folder, name).map_or(0, |numbers| numbers.len() as u64);
    of("train") + of("dev")
}

fn suggested(document: &Document, origin: &Origin) -> Vec<Suggestion> {
    let suggestion = |entity: &schema::Entity| {
        Suggestion::exact(document.text(), entity.span, entity.label.clone(), entity.score, origin.clone())
    };
    document.entities().iter().map(suggestion).collect()
}

fn seed(run: RunId) -> u64 {
    run.0.cast_unsigned()
}
