//! Training texts that a model carries with it, so that an update can learn them again.

use std::path::Path;

use anyhow::Context as _;
use corpus::{Format, WriteOptions, Writer, rehearsal};
use model::{Bundle, bundle::TEXTS_FILE};
use schema::Document;

use super::{Data, Set};

/// So many of the texts that stand for all that are at hand, as Nomen JSONL; those of an update have the old ones among them.
pub fn carry(data: &Data, size: usize) -> anyhow::Result<Option<Vec<u8>>> {
    if size == 0 {
        return Ok(None);
    }
    let old = data.known.iter().flat_map(|known| &known.old);
    let documents: Vec<Document> = old.chain(&data.train.documents).cloned().collect();
    let mut writer = Writer::new(Vec::new(), TEXTS_FILE, Format::Jsonl, WriteOptions::default());
    for position in rehearsal(&documents, size) {
        writer.write(&documents[position])?;
    }
    Ok(Some(writer.finish()?.0))
}

/// Whether a model carries texts.
pub fn carries(folder: &Path) -> bool {
    folder.join(TEXTS_FILE).is_file()
}

/// The texts that a model carries, if it does.
pub fn carried(bundle: &Bundle, folder: &Path) -> anyhow::Result<Option<Set>> {
    let Some(texts) = &bundle.texts else { return Ok(None) };
    let path = folder.join(TEXTS_FILE);
    let documents = corpus::read(texts.as_slice(), &path.to_string_lossy(), Format::Jsonl)?
        .collect::<Result<Vec<Document>, _>>()
        .with_context(|| format!("the texts that {} carries cannot be read", folder.display()))?;
    Ok(Some(Set { path, documents }))
}
