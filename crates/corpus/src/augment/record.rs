//! What a copy says of how it was made.

use std::collections::BTreeMap;

use schema::Document;
use serde_json::{Value, json};

use super::Method;

/// Key of the metadata in which a copy says what it was made from and how: `source` and `joined` (the texts' own
/// names, or their positions from 1), `copy` (from 1) and `changes` (places by method).
pub const META: &str = "augmented";

pub(super) fn note(
    document: &mut Document,
    documents: &[Document],
    source: usize,
    copy: u32,
    joined: Option<usize>,
    changes: &BTreeMap<Method, usize>,
) {
    let name = |at: usize| documents[at].id.clone().map_or_else(|| json!(at + 1), Value::from);
    let places: BTreeMap<&str, usize> = changes.iter().map(|(method, places)| (method.name(), *places)).collect();
    let mut about = json!({"source": name(source), "copy": copy, "changes": places});
    if let Some(other) = joined {
        about["joined"] = name(other);
    }
    document.id = document.id.take().map(|id| format!("{id}#{copy}"));
    document.meta.insert(META.to_owned(), about);
}
