//! A document with other surfaces in the place of some of its entities.

use std::collections::BTreeMap;

use schema::{Document, DocumentError, Entity, Span};
use thiserror::Error;

use crate::prepare::{Change, Mapped, Moved};

/// Why surfaces cannot be put into a document.
#[derive(Debug, Error)]
pub enum ReplaceError {
    /// There is no entity at this position.
    #[error("entity {index} does not exist: the document has {entities}")]
    NoEntity {
        /// The position that was named.
        index: usize,
        /// Number of entities.
        entities: usize,
    },
    /// Nothing cannot be an entity.
    #[error("the surface for entity {index} is empty; name a text")]
    Empty {
        /// Position of the entity.
        index: usize,
    },
    /// The outcome is not a document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// The document with these surfaces in the place of its entities' (by position); all spans move, the text around the
/// entities stays as it is.
///
/// The first letter of a surface takes the case of the one it replaces, unless that has no case. Of known tokens, those
/// of a replaced entity become the words of the surface, parted by white space; where a token reaches over an end of
/// such an entity, all tokens are given up.
///
/// # Errors
/// A position names no entity, or a surface is empty.
pub fn replace(document: &Document, surfaces: &BTreeMap<usize, String>) -> Result<Document, ReplaceError> {
    let entities = document.entities();
    let mut changes: Vec<Change> = Vec::with_capacity(surfaces.len());
    for (&index, surface) in surfaces {
        let Some(entity) = entities.get(index) else {
            return Err(ReplaceError::NoEntity { index, entities: entities.len() });
        };
        if surface.is_empty() {
            return Err(ReplaceError::Empty { index });
        }
        let surface = with_case_of(entity.span.quote(document.text()), surface);
        changes.push((entity.span.range(), surface));
    }
    Ok(changed(document, changes)?)
}

/// The document after changes, which are in order, do not overlap and have no end inside of an entity.
///
/// Of known tokens, those of a changed range become the words of the new text, parted by white space; where a token
/// reaches over an end of such a range, all tokens are given up.
///
/// # Errors
/// None that such changes can cause.
pub(crate) fn changed(document: &Document, changes: Vec<Change>) -> Result<Document, DocumentError> {
    let spans: Vec<Span> = changes.iter().filter_map(|(range, _)| Span::new(range.start, range.end).ok()).collect();
    let mapped = Mapped::new(document.text(), changes);
    // Every entity is made of whole changes, or has its ends outside all of them.
    let entity = |entity: &Entity| match mapped.moved(entity.span) {
        Moved::Kept(span) => Some(Entity { span, ..entity.clone() }),
        Moved::Removed | Moved::Cut => None,
    };
    let entities = document.entities().iter().filter_map(entity).collect();
    let mut after = Document::new(mapped.text()).with_entities(entities)?;
    if let Some(tokens) = document.tokens().and_then(|tokens| moved_tokens(tokens, &spans, &mapped)) {
        after = after.with_tokens(tokens)?;
    }
    after.id.clone_from(&document.id);
    after.meta.clone_from(&document.meta);
    after.partial = document.partial;
    after.looked_for.clone_from(&document.looked_for);
    Ok(after)
}

/// The tokens of the new text; `None` where one reaches over an end of a changed span.
fn moved_tokens(tokens: &[Span], changed: &[Span], mapped: &Mapped) -> Option<Vec<Span>> {
    let mut moved = Vec::with_capacity(tokens.len());
    let mut spans = changed.iter().peekable();
    for token in tokens {
        while let Some(span) = spans.next_if(|span| span.end() <= token.start()) {
            moved.extend(words(mapped, *span));
        }
        match spans.peek() {
            Some(span) if span.contains(*token) => {}
            Some(span) if span.overlaps(*token) => return None,
            _ => match mapped.moved(*token) {
                Moved::Kept(token) => moved.push(token),
                Moved::Removed | Moved::Cut => return None,
            },
        }
    }
    spans.for_each(|span| moved.extend(words(mapped, *span)));
    Some(moved)
}

/// The words of what now stands in the place of a span.
fn words(mapped: &Mapped, span: Span) -> Vec<Span> {
    let Moved::Kept(span) = mapped.moved(span) else { return Vec::new() };
    let quote = span.quote(mapped.text());
    let start = |word: &str| span.start() + (word.as_ptr() as usize - quote.as_ptr() as usize);
    quote.split_whitespace().filter_map(|word| Span::new(start(word), start(word) + word.len()).ok()).collect()
}

/// The surface with its first letter in the case of the first letter of `model`.
fn with_case_of(model: &str, surface: &str) -> String {
    let mut rest = surface.chars();
    let (Some(old), Some(first)) = (model.chars().next(), rest.next()) else { return surface.to_owned() };
    if old.is_uppercase() {
        first.to_uppercase().chain(rest).collect()
    } else if old.is_lowercase() {
        first.to_lowercase().chain(rest).collect()
    } else {
        surface.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use schema::Label;

    use super::*;

    fn span(start: usize, end: usize) -> Span {
        Span::new(start, end).unwrap()
    }

    fn document() -> Document {
        let label = || Label::new("PER").unwrap();
        let entities = vec![Entity::new(span(0, 4), label()), Entity::new(span(9, 18), label())];
        let tokens = [(0, 4), (5, 8), (9, 11), (12, 18), (18, 19)].map(|(start, end)| span(start, end));
        Document::new("Anna met bo jensen.").with_entities(entities).unwrap().with_tokens(tokens.to_vec()).unwrap()
    }

    #[test]
    fn spans_and_tokens_move_and_the_case_of_the_first_letter_stays() {
        let surfaces = BTreeMap::from([(0, "søren".to_owned()), (1, "Émile  Zola Jr".to_owned())]);
        let replaced = replace(&document(), &surfaces).unwrap();
        assert_eq!(replaced.text(), "Søren met émile  Zola Jr.");
        let quotes = |spans: Vec<Span>| spans.into_iter().map(|span| span.quote(replaced.text())).collect::<Vec<_>>();
        assert_eq!(quotes(replaced.entities().iter().map(|e| e.span).collect()), ["Søren", "émile  Zola Jr"]);
        assert_eq!(quotes(replaced.tokens().unwrap().to_vec()), ["Søren", "met", "émile", "Zola", "Jr", "."]);
    }

    #[test]
    fn what_cannot_be_replaced_is_refused() {
        let refused =
            |index, surface: &str| replace(&document(), &BTreeMap::from([(index, surface.to_owned())])).is_err();
        assert!(refused(2, "Eva") && refused(0, ""));
        assert_eq!(replace(&document(), &BTreeMap::new()).unwrap(), document());
    }
}
