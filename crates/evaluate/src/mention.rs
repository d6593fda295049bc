//! An entity as a report shows it.

use schema::{
    Document, Entity, Label, Span,
    offset::{Offsets, Unit},
};
use serde::Serialize;

/// An entity with the text that it covers. Serialized with code points, as everything that leaves Nomen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mention {
    /// Its bytes in the document's text.
    #[serde(skip)]
    pub span: Span,
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// Its label.
    pub label: Label,
    /// The text under it.
    pub text: String,
    /// How sure the recognizer was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
}

impl Mention {
    /// The entity of a text.
    ///
    /// # Panics
    /// The entity's span was made for another text.
    pub fn new(text: &str, entity: &Entity) -> Self {
        Self::with(&Offsets::new(text, Unit::CodePoints), text, entity)
    }

    pub(crate) fn with(offsets: &Offsets<'_>, text: &str, entity: &Entity) -> Self {
        let (start, end) = offsets.of(entity.span);
        let quote = entity.span.quote(text).to_owned();
        Self { span: entity.span, start, end, label: entity.label.clone(), text: quote, score: entity.score }
    }
}

/// A gold entity and the document that it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoldMention {
    /// Position of the document among those that were judged.
    pub document: usize,
    /// Name of the document in its source, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The entity.
    #[serde(flatten)]
    pub mention: Mention,
}

impl GoldMention {
    pub(crate) fn new(position: usize, document: &Document, entity: &Entity) -> Self {
        Self { document: position, id: document.id.clone(), mention: Mention::new(document.text(), entity) }
    }
}
