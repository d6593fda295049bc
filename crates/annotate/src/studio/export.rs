//! What leaves a project: its documents in any format that can be written, and the history of their annotations.

use std::{collections::HashMap, io::Write};

use corpus::{Format, Losses, WriteError, WriteOptions, Writer};
use store::{ProjectId, Select, Store, StoreError, UserId};
use thiserror::Error;

/// Documents that are read at once.
const CHUNK: u32 = 500;

/// Why a project cannot leave so.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The format cannot hold a document, or the output fails.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The history cannot be written.
    #[error("the history cannot be written: {0}")]
    History(#[from] std::io::Error),
}

/// Writes the documents of a project, by number: the same state gives the same bytes. Only those that are accepted, or all of
/// them, those that nobody decided as partial ones. Gives the number of documents.
///
/// # Errors
/// The database or the output fails, or the format cannot hold a document.
pub async fn documents<W: Write>(
    store: &Store,
    project: ProjectId,
    accepted: bool,
    writer: &mut Writer<W>,
) -> Result<usize, ExportError> {
    let (mut after, mut count) = (0, 0);
    loop {
        let chunk = store.export(project, Select { accepted, history: false }, after, CHUNK).await?;
        let Some(last) = chunk.last() else { return Ok(count) };
        after = last.number;
        for exported in &chunk {
            writer.write(&exported.document)?;
            count += 1;
        }
    }
}

/// Writes every version of every annotation, those that came too late as well, one document a line.
///
/// # Errors
/// The database or the output fails.
pub async fn history(store: &Store, project: ProjectId, out: &mut impl Write) -> Result<usize, ExportError> {
    let names: HashMap<UserId, String> = store.user_names().await?;
    let (mut after, mut count) = (0, 0);
    loop {
        let chunk = store.export(project, Select { accepted: false, history: true }, after, CHUNK).await?;
        let Some(last) = chunk.last() else { return Ok(count) };
        after = last.number;
        for exported in &chunk {
            writeln!(out, "{}", exported.history_json(&names))?;
            count += 1;
        }
    }
}

/// The documents of a project as the bytes of a file.
///
/// # Errors
/// As [`documents`].
pub async fn bytes(
    store: &Store,
    project: ProjectId,
    accepted: bool,
    format: Format,
) -> Result<(Vec<u8>, Losses), ExportError> {
    let mut writer = Writer::new(Vec::new(), "export", format, WriteOptions::default());
    documents(store, project, accepted, &mut writer).await?;
    Ok(writer.finish()?)
}
