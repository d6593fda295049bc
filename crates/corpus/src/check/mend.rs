//! What can be mended without a person.

use std::collections::HashMap;

use schema::{Document, Entity};

use super::{contradiction::same_entities, invisible_token::is_visible, space_at_edge::trimmed};

/// What was mended in a file's documents; positions count from 0 in the file as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mending {
    /// For each entity whose edges were trimmed its document.
    pub trimmed: Vec<usize>,
    /// Documents that repeated an earlier one, and which.
    pub repeated: Vec<(usize, usize)>,
    /// Documents without a visible character.
    pub empty: Vec<usize>,
}

impl Mending {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.trimmed.is_empty() && self.repeated.is_empty() && self.empty.is_empty()
    }
}

/// The documents without white space at the edges of entities, without repetitions of a document (same text, tokens
/// and entities, and whether it is complete) and without empty texts. Nothing else is touched; an entity that is
/// nothing but white space, and a document that has one, stay.
pub fn mend(documents: Vec<Document>) -> (Vec<Document>, Mending) {
    let mut mending = Mending::default();
    let mut kept: Vec<(usize, Document)> = Vec::with_capacity(documents.len());
    let mut seen: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, document) in documents.into_iter().enumerate() {
        if document.entities().is_empty() && !document.text().chars().any(is_visible) {
            mending.empty.push(position);
            continue;
        }
        let (document, cut) = without_space(document);
        let before = seen.entry(document.text().to_owned()).or_default();
        if let Some(first) = before.iter().find(|first| repeats(&kept[**first].1, &document)) {
            mending.repeated.push((position, kept[*first].0));
            continue;
        }
        mending.trimmed.extend(std::iter::repeat_n(position, cut));
        before.push(kept.len());
        kept.push((position, document));
    }
    (kept.into_iter().map(|(_, document)| document).collect(), mending)
}

fn repeats(first: &Document, document: &Document) -> bool {
    same_entities(first, document)
        && first.tokens() == document.tokens()
        && first.partial == document.partial
        && first.looked_for == document.looked_for
}

/// The document with its entities trimmed, and how many were.
fn without_space(document: Document) -> (Document, usize) {
    let mut cut = 0;
    let trim = |entity: &Entity| {
        let span = trimmed(document.text(), entity.span).unwrap_or(entity.span);
        cut += usize::from(span != entity.span);
        Entity { span, ..entity.clone() }
    };
    let entities: Vec<Entity> = document.entities().iter().map(trim).collect();
    if cut == 0 {
        return (document, 0);
    }
    // Parts of spans that did not overlap do not overlap.
    match document.clone().with_entities(entities) {
        Ok(mended) => (mended, cut),
        Err(_) => (document, 0),
    }
}
