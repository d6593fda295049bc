//! Documents cut into pieces, from which they can be put together again.

mod abbreviations;
mod join;
mod joining;
mod paragraphs;
mod sentences;

use schema::{
    Document, DocumentError, Entity, Span,
    offset::{Offsets, Unit},
};
use serde_json::Value;
use thiserror::Error;

pub use join::{JoinError, join};
pub use joining::Joining;
pub use paragraphs::paragraph_ends;
pub use sentences::sentence_ends;

/// Field of a piece's metadata: name of the document that it was cut from, or its number where it has no name.
const PARENT: &str = "parent";
/// Where the piece starts in that document, in code points.
const START: &str = "start";
/// What stands between the piece and the one before it, where that is not a few spaces.
const BEFORE: &str = "before";
/// What follows the last piece, where something does.
const AFTER: &str = "after";

/// This many spaces between two pieces need not be written down.
const SPACES: usize = 100;

/// What a document is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Segmentation {
    /// Sentences; see [`sentence_ends`].
    Sentences,
    /// Paragraphs; see [`paragraph_ends`].
    Paragraphs,
}

/// A document in pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct Segments {
    /// At least one, without white space at their ends (unless the document is nothing else).
    pub pieces: Vec<Document>,
    /// Ends that lie inside an entity and therefore are none.
    pub joined: usize,
}

/// Why a document cannot be cut.
#[derive(Debug, Error)]
pub enum SegmentError {
    /// A field that the pieces need is taken.
    #[error("its metadata has the field `{0}` already, which pieces need: rename it; a piece is not cut again")]
    Taken(&'static str),
    /// A piece is not a document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// A document cut into pieces. `number`, from 1, names it where it has no name of its own.
///
/// Each piece has the document's metadata and besides `parent` and `start` (in code points), with which [`join`] puts
/// the document together again. No entity and no known token is ever cut.
///
/// # Errors
/// The metadata uses one of the pieces' fields for something else.
pub fn segment(document: &Document, number: usize, by: Segmentation) -> Result<Segments, SegmentError> {
    if let Some(taken) = [PARENT, START, BEFORE, AFTER].into_iter().find(|field| document.meta.contains_key(*field)) {
        return Err(SegmentError::Taken(taken));
    }
    let text = document.text();
    let mut ends = match by {
        Segmentation::Sentences => sentence_ends(text),
        Segmentation::Paragraphs => paragraph_ends(text),
    };
    let all = ends.len();
    let entities: Vec<Span> = document.entities().iter().map(|entity| entity.span).collect();
    ends.retain(|end| !is_inside(*end, &entities));
    let joined = all - ends.len();
    if let Some(tokens) = document.tokens() {
        ends.retain(|end| !is_inside(*end, tokens));
    }

    let parent = document.id.clone().map_or_else(|| Value::from(number), Value::from);
    let offsets = Offsets::new(text, Unit::CodePoints);
    let mut pieces: Vec<Document> = Vec::with_capacity(ends.len() + 1);
    let mut last = 0;
    for (position, end) in ends.iter().copied().chain([text.len()]).enumerate() {
        let (start, end) = content(text, last..end, &entities);
        let mut piece = part(document, start, end)?;
        piece.id = document.id.as_ref().map(|id| format!("{id}#{}", position + 1));
        piece.meta.insert(PARENT.into(), parent.clone());
        piece.meta.insert(START.into(), offsets.from_byte(start).into());
        let gap = &text[last..start];
        if gap.len() > SPACES || gap.bytes().any(|byte| byte != b' ') {
            piece.meta.insert(BEFORE.into(), gap.into());
        }
        last = end;
        pieces.push(piece);
    }
    if let Some(piece) = pieces.last_mut().filter(|_| last < text.len()) {
        piece.meta.insert(AFTER.into(), text[last..].into());
    }
    Ok(Segments { pieces, joined })
}

/// Whether one of these spans, sorted and without overlaps, goes on over the place.
fn is_inside(place: usize, spans: &[Span]) -> bool {
    let next = spans.partition_point(|span| span.end() <= place);
    spans.get(next).is_some_and(|span| span.start() < place)
}

/// The part of a range without white space at its ends, but with that of entities; all of it where nothing is left.
fn content(text: &str, range: std::ops::Range<usize>, entities: &[Span]) -> (usize, usize) {
    let quote = &text[range.clone()];
    let inside = entities.iter().filter(|span| span.start() >= range.start && span.end() <= range.end);
    let (first, last) = (inside.clone().map(|span| span.start()).min(), inside.map(|span| span.end()).max());
    if quote.trim().is_empty() && first.is_none() {
        return (range.start, range.end);
    }
    let start = range.start + (quote.len() - quote.trim_start().len());
    let end = range.start + quote.trim_end().len();
    (first.map_or(start, |first| first.min(start)), last.map_or(end, |last| last.max(end)))
}

fn part(document: &Document, start: usize, end: usize) -> Result<Document, SegmentError> {
    let inside = |span: Span| start <= span.start() && span.end() <= end;
    let shifted = |span: Span| Span::new(span.start() - start, span.end() - start);
    let entity = |entity: &Entity| shifted(entity.span).ok().map(|span| Entity { span, ..entity.clone() });
    let entities = document.entities().iter().filter(|entity| inside(entity.span)).filter_map(entity);
    let mut piece = Document::new(&document.text()[start..end]).with_entities(entities.collect())?;
    if let Some(tokens) = document.tokens() {
        let tokens = tokens.iter().filter(|token| inside(**token)).filter_map(|token| shifted(*token).ok());
        piece = piece.with_tokens(tokens.collect())?;
    }
    piece.meta.clone_from(&document.meta);
    piece.partial = document.partial;
    piece.looked_for.clone_from(&document.looked_for);
    Ok(piece)
}
