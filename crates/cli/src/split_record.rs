//! What the `split.json` beside a file says of it.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use corpus::{
    duplicates::TextHash,
    fingerprint,
    split::{MANIFEST_FILE, Manifest},
};
use schema::Document;

/// What does not agree between a file that is learned from and the split that it lies beside: it has changed since,
/// or it holds texts of the test set. In words, for a warning.
pub fn of_training(path: &Path, documents: &[Document]) -> Vec<String> {
    of(path, documents, true)
}

/// The same of a file that is scored: whether it has changed since the split.
pub fn of_scored(path: &Path, documents: &[Document]) -> Vec<String> {
    of(path, documents, false)
}

fn of(path: &Path, documents: &[Document], is_learned: bool) -> Vec<String> {
    let (record, manifest) = match beside(path) {
        None => return Vec::new(),
        Some((record, Ok(manifest))) => (record, manifest),
        Some((record, Err(error))) => {
            return vec![format!("{} is passed over: it is no record of a split ({error})", record.display())];
        }
    };
    let mut said = Vec::new();
    let folder = record.parent().unwrap_or(Path::new(""));
    let own = manifest.parts.iter().find(|part| path == folder.join(&part.file));
    if own.is_some_and(|part| part.fingerprint != fingerprint(documents)) {
        said.push(format!("{} has changed since the split that {} records", path.display(), record.display()));
    }
    let is_test = own.is_some_and(|part| part.name == "test");
    if let Some(test) = manifest.texts.get("test").filter(|_| is_learned && !is_test) {
        let test: HashSet<TextHash> = test.iter().copied().collect();
        let is_held =
            |document: &Document| !document.text().trim().is_empty() && test.contains(&TextHash::of(document.text()));
        let mut held = documents.iter().enumerate().filter(|(_, document)| is_held(document));
        if let Some((first, _)) = held.next() {
            said.push(format!(
                "{}: {} of its {} texts belong to the test set that {} records (the first is document {}); scores on \
                 that set will say nothing about new text; leave them out",
                path.display(),
                1 + held.count(),
                documents.len(),
                record.display(),
                first + 1
            ));
        }
    }
    said
}

/// The record in the file's folder, or above it where the file is of a fold.
fn beside(path: &Path) -> Option<(PathBuf, serde_json::Result<Manifest>)> {
    let folder = path.parent()?;
    [Some(folder), folder.parent()].into_iter().flatten().find_map(|folder| {
        let record = folder.join(MANIFEST_FILE);
        let bytes = fs::read(&record).ok()?;
        Some((record, serde_json::from_slice(&bytes)))
    })
}
