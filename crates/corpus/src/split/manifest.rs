//! `split.json`: what a split was made from and what came of it.

use std::collections::BTreeMap;

use schema::Document;
use serde::{Deserialize, Serialize};

use super::{Plan, Source};
use crate::{duplicates::TextHash, fingerprint};

/// Name of the manifest beside the parts.
pub const MANIFEST_FILE: &str = "split.json";

/// The format that this build writes.
const FORMAT: u32 = 1;

/// What a split was made from and what came of it. Written last: a folder that has it holds all parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's format.
    pub format: u32,
    /// Version of Nomen that wrote it.
    pub nomen: String,
    /// What was asked for.
    pub plan: Plan,
    /// The files that were split.
    pub sources: Vec<SourceEntry>,
    /// The test set that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<SourceEntry>,
    /// The parts.
    pub parts: Vec<PartEntry>,
    /// The [`TextHash`] of every text, by part and in its order.
    pub texts: BTreeMap<String, Vec<TextHash>>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// The file, as it was named.
    pub file: String,
    /// Its texts.
    pub texts: usize,
    /// Its [`fingerprint`].
    pub fingerprint: String,
}

/// A part and the file that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// Its name.
    pub name: String,
    /// Its file, from the manifest's folder.
    pub file: String,
    /// Its texts.
    pub texts: usize,
    /// The groups that these are in; nothing where they were not grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// Its entities by label.
    pub entities: BTreeMap<String, usize>,
    /// Its oldest and its newest date, where the split was by date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<(String, String)>,
    /// Its [`fingerprint`].
    pub fingerprint: String,
}

impl Manifest {
    /// A manifest without parts.
    pub fn new(plan: Plan, sources: &[Source<'_>], protected: Option<Source<'_>>) -> Self {
        Self {
            format: FORMAT,
            nomen: env!("CARGO_PKG_VERSION").to_owned(),
            plan,
            sources: sources.iter().map(SourceEntry::of).collect(),
            protected: protected.as_ref().map(SourceEntry::of),
            parts: Vec::new(),
            texts: BTreeMap::new(),
        }
    }

    /// Adds a part of these documents, which lies in `file`.
    pub fn add(&mut self, name: &str, file: &str, documents: &[&Document]) -> &mut PartEntry {
        let mut entities = BTreeMap::new();
        for entity in documents.iter().flat_map(|document| document.entities()) {
            *entities.entry(entity.label.to_string()).or_default() += 1;
        }
        let hashes = documents.iter().map(|document| TextHash::of(document.text())).collect();
        self.texts.insert(name.to_owned(), hashes);
        let at = self.parts.len();
        self.parts.push(PartEntry {
            name: name.to_owned(),
            file: file.to_owned(),
            texts: documents.len(),
            groups: None,
            entities,
            dates: None,
            fingerprint: fingerprint(documents.iter().copied()),
        });
        &mut self.parts[at]
    }
}

impl SourceEntry {
    fn of(source: &Source<'_>) -> Self {
        Self {
            file: source.path.display().to_string(),
            texts: source.documents.len(),
            fingerprint: fingerprint(source.documents),
        }
    }
}
