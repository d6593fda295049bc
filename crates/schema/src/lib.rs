//! The vocabulary that every crate of Nomen shares: [`Span`]s of a text, the [`Label`]s of a [`Schema`],
//! the [`Entity`] that joins them, the [`Suggestion`] that may become one, the [`Document`] that carries them, tag schemes ([`tags`]) and offset
//! units ([`offset`]). No I/O and no tensors.
//!
//! Inside Nomen every offset is a UTF-8 byte, half-open and on a character boundary. Files and HTTP bodies
//! count in other units; [`offset`] is the one place that converts between them.

pub mod offset;
pub mod tags;

mod document;
mod entity;
mod label;
mod recognize;
mod span;
mod suggestion;

pub use document::{Document, DocumentError, Meta};
pub use entity::Entity;
pub use label::{Label, LabelDefinition, LabelError, Schema, SchemaError};
pub use recognize::{Recognize, RecognizeError};
pub use span::{Span, SpanError};
pub use suggestion::{Grounding, Origin, OriginKind, Suggestion, UnknownGrounding, UnknownOriginKind};
