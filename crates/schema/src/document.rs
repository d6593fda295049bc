//! A text with its entities.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::{Entity, Label, Span, SpanError};

/// Free metadata of a document, kept as it came.
pub type Meta = Map<String, Value>;

/// A text with its entities and metadata.
///
/// The entities are sorted by start, do not overlap, and lie inside the text on character boundaries: a
/// document that exists is valid, so nothing downstream checks again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    text: String,
    entities: Vec<Entity>,
    tokens: Option<Vec<Span>>,
    /// Name of the document in its source, if it had one.
    pub id: Option<String>,
    /// Whatever else the source said.
    pub meta: Meta,
    /// The entities are not all there: words without a label are unknown, not negatives.
    pub partial: bool,
    /// The labels that were looked for, where they were fewer than the schema's.
    pub looked_for: Option<Vec<Label>>,
}

/// Why a text and its annotations are not a document.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DocumentError {
    /// An entity lies outside the text or cuts a character.
    #[error("entity {index} ({label}): {error}")]
    Entity {
        /// Position of the entity in the list that was given.
        index: usize,
        /// Its label.
        label: Label,
        /// What is wrong with its span.
        error: SpanError,
    },
    /// Two entities share text.
    #[error(
        "entities overlap: {first} at bytes {first_start}..{first_end} and {second} at {second_start}..{second_end}; keep one of them"
    )]
    Overlap {
        /// Label of the one that starts first.
        first: Label,
        /// Its start.
        first_start: usize,
        /// Its end.
        first_end: usize,
        /// Label of the other.
        second: Label,
        /// Its start.
        second_start: usize,
        /// Its end.
        second_end: usize,
    },
    /// Token boundaries are out of order, overlap or lie outside the text.
    #[error("token {index}: {reason}")]
    Token {
        /// Position of the token.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Document {
    /// A text without entities.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The same document with these entities instead of its own, sorted by start.
    ///
    /// # Errors
    /// An entity lies outside the text or cuts a character, or two overlap.
    pub fn with_entities(mut self, mut entities: Vec<Entity>) -> Result<Self, DocumentError> {
        for (index, entity) in entities.iter().enumerate() {
            Span::of(&self.text, entity.span.range()).map_err(|error| DocumentError::Entity {
                index,
                label: entity.label.clone(),
                error,
            })?;
        }
        entities.sort_by_key(|entity| entity.span);
        if let Some(pair) = entities.windows(2).find(|pair| pair[0].span.overlaps(pair[1].span)) {
            return Err(DocumentError::Overlap {
                first: pair[0].label.clone(),
                first_start: pair[0].span.start(),
                first_end: pair[0].span.end(),
                second: pair[1].label.clone(),
                second_start: pair[1].span.start(),
                second_end: pair[1].span.end(),
            });
        }
        self.entities = entities;
        Ok(self)
    }

    /// The same document with known token boundaries, in order.
    ///
    /// # Errors
    /// A token lies outside the text, cuts a character, or starts before the one before it ends.
    pub fn with_tokens(mut self, tokens: Vec<Span>) -> Result<Self, DocumentError> {
        let mut end = 0;
        for (index, token) in tokens.iter().enumerate() {
            Span::of(&self.text, token.range())
                .map_err(|error| DocumentError::Token { index, reason: error.to_string() })?;
            if token.start() < end {
                let reason = format!("starts at {}, before the token before it ends at {end}", token.start());
                return Err(DocumentError::Token { index, reason });
            }
            end = token.end();
        }
        self.tokens = Some(tokens);
        Ok(self)
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The entities, sorted by start, without overlaps.
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// Known token boundaries (from a token-per-line format), sorted; `None` where the text is all there is.
    pub fn tokens(&self) -> Option<&[Span]> {
        self.tokens.as_deref()
    }

    /// Whether somebody looked for the label here.
    pub fn was_looked_for(&self, label: &Label) -> bool {
        self.looked_for.as_ref().is_none_or(|labels| labels.contains(label))
    }

    /// Whether every entity of the label is annotated, so that there is none where none is annotated.
    pub fn is_complete_for(&self, label: &Label) -> bool {
        !self.partial && self.was_looked_for(label)
    }

    /// Whether every entity of every label is annotated.
    pub fn is_complete(&self) -> bool {
        !self.partial && self.looked_for.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
    }

    #[test]
    fn entities_are_sorted_and_touching_ones_both_stay() {
        let document = Document::new("ParisRome").with_entities(vec![entity(5, 9, "B"), entity(0, 5, "A")]).unwrap();
        assert_eq!(document.entities(), [entity(0, 5, "A"), entity(5, 9, "B")]);
    }

    #[test]
    fn overlap_and_outside_are_refused() {
        let overlap = Document::new("Paris").with_entities(vec![entity(0, 4, "A"), entity(3, 5, "B")]);
        assert!(matches!(overlap, Err(DocumentError::Overlap { .. })));
        let twice = Document::new("Paris").with_entities(vec![entity(0, 5, "A"), entity(0, 5, "B")]);
        assert!(matches!(twice, Err(DocumentError::Overlap { .. })));
        let outside = Document::new("Paris").with_entities(vec![entity(0, 6, "A")]);
        assert!(matches!(outside, Err(DocumentError::Entity { index: 0, .. })));
    }

    #[test]
    fn a_label_is_complete_where_it_was_looked_for_and_all_of_it_is_there() {
        let [place, person] = ["LOC", "PER"].map(|label| Label::new(label).unwrap());
        let whole = Document::new("Paris");
        assert!(whole.is_complete() && whole.is_complete_for(&place));
        let partial = Document { partial: true, ..whole.clone() };
        assert!(partial.was_looked_for(&place) && !partial.is_complete_for(&place) && !partial.is_complete());
        let places = Document { looked_for: Some(vec![place.clone()]), ..whole };
        assert!(places.is_complete_for(&place) && !places.is_complete());
        assert!(!places.was_looked_for(&person) && !places.is_complete_for(&person));
    }

    #[test]
    fn tokens_out_of_order_are_refused() {
        let span = |start, end| Span::new(start, end).unwrap();
        assert!(Document::new("a b").with_tokens(vec![span(0, 1), span(2, 3)]).is_ok());
        assert!(Document::new("a b").with_tokens(vec![span(2, 3), span(0, 1)]).is_err());
        assert!(Document::new("a b").with_tokens(vec![span(0, 2), span(1, 3)]).is_err());
    }
}
