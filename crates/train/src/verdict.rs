//! What a model says of an annotated document, slot by slot, beside what the annotation says.

use model::{
    Bundle, Input, Workers,
    decode::DecodeError,
    text::{SlotTarget, TokenizeError},
};
use schema::{Document, Entity, Span};
use thiserror::Error;

/// What a model says of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What got a tag each, in order: words, or pieces.
    pub slots: Vec<Span>,
    /// The tag that the annotation gives each slot; `None` where it says nothing.
    pub given: Vec<Option<u32>>,
    /// `[slots, tags]`, as the model gave them.
    pub logits: Vec<f32>,
    /// The entities that they come to, as the model would be used.
    pub entities: Vec<Entity>,
}

/// A document that the model could not judge.
#[derive(Debug, Error)]
#[error("document {number}{}: {error}", id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default())]
pub struct VerdictError {
    /// Position of the document among those that were asked about, from 1.
    pub number: usize,
    /// The document's own name.
    pub id: Option<String>,
    /// What went wrong.
    pub error: Unjudged,
}

/// Why a document could not be judged.
#[derive(Debug, Error)]
pub enum Unjudged {
    /// It could not be cut into pieces.
    #[error(transparent)]
    Tokenize(#[from] TokenizeError),
    /// The model's output could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// What the model says of each document, in order.
///
/// # Errors
/// The tokenizer fails on a document, or the model's output is not finite.
pub fn verdicts(workers: &Workers, bundle: &Bundle, documents: &[&Document]) -> Result<Vec<Verdict>, VerdictError> {
    let codec = &bundle.codec;
    let failed = |index: usize, error| VerdictError { number: index + 1, id: documents[index].id.clone(), error };
    let encode = |(index, document): (usize, &&Document)| {
        codec.encode(Input::from(*document)).map_err(|error| failed(index, error.into()))
    };
    let encoded = documents.iter().enumerate().map(encode).collect::<Result<Vec<_>, _>>()?;
    let logits = workers.logits(&bundle.classifier, codec, &encoded);
    let judged = documents.iter().zip(&encoded).zip(logits).enumerate();
    judged
        .map(|(index, ((document, encoded), logits))| {
            let given = |target: &SlotTarget| match target {
                SlotTarget::Tag(tag) => Some(*tag),
                SlotTarget::Unknown | SlotTarget::NotLookedFor => None,
            };
            let tags: Vec<Option<u32>> = codec.targets(document, encoded).slots.iter().map(given).collect();
            let mut undecided = encoded.undecided.iter().peekable();
            let decided = |slot: &usize| undecided.next_if(|next| **next as usize == *slot).is_none();
            Ok(Verdict {
                slots: encoded.decided().collect(),
                given: (0..tags.len()).filter(decided).map(|slot| tags[slot]).collect(),
                entities: codec.decode(encoded, &logits).map_err(|error| failed(index, error.into()))?,
                logits,
            })
        })
        .collect()
}
