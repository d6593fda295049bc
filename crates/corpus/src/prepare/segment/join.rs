//! Pieces put together.

use schema::{Document, DocumentError, Entity, Span};
use serde_json::Value;
use thiserror::Error;

use super::{AFTER, BEFORE, PARENT, SPACES, START};

/// Why pieces are not a document.
#[derive(Debug, Error)]
pub enum JoinError {
    /// There is no piece.
    #[error("there is no piece to put together")]
    Empty,
    /// A piece does not say where it comes from.
    #[error("piece {piece}: its metadata has no `{field}`; give the pieces as `segment` made them")]
    Unplaced {
        /// Position of the piece, from 1.
        piece: usize,
        /// The field.
        field: &'static str,
    },
    /// A piece of another document.
    #[error("piece {piece} is of another document than the first; put together the pieces of one")]
    Foreign {
        /// Position of the piece, from 1.
        piece: usize,
    },
    /// A piece of a document whose pieces were over.
    #[error("the pieces of {parent} do not stand together; bring them into the order in which `segment` made them")]
    Apart {
        /// The document.
        parent: String,
    },
    /// A piece between two others, or before the first, is not there.
    #[error("piece {expected} is missing: piece {found} stands in its place; give all pieces in their order")]
    Missing {
        /// The number of the piece, from 1.
        expected: usize,
        /// The number of the one that is there instead.
        found: usize,
    },
    /// A piece starts where the one before it is not yet over, or behind a gap that nothing fills.
    #[error(
        "piece {piece} starts at {start}, but the text before it has {length} code points; order the pieces, change none"
    )]
    Misplaced {
        /// Position of the piece, from 1.
        piece: usize,
        /// Where it says that it starts, in code points.
        start: usize,
        /// Length of what stands before it, in code points.
        length: usize,
    },
    /// The whole is not a document.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// The document that these pieces, in order, were cut from; entities that were added to them are in their places.
///
/// # Errors
/// A piece is of another document or has another length than when it was cut.
pub fn join(pieces: &[Document]) -> Result<Document, JoinError> {
    let first = pieces.first().ok_or(JoinError::Empty)?;
    let parent = first.meta.get(PARENT).ok_or(JoinError::Unplaced { piece: 1, field: PARENT })?;
    let (mut text, mut length) = (String::new(), 0);
    let (mut entities, mut tokens) = (Vec::new(), Some(Vec::new()));
    for (position, document) in pieces.iter().enumerate() {
        let piece = position + 1;
        let field = |field| document.meta.get(field).ok_or(JoinError::Unplaced { piece, field });
        if field(PARENT)? != parent {
            return Err(JoinError::Foreign { piece });
        }
        let start = field(START)?.as_u64().ok_or(JoinError::Unplaced { piece, field: START })? as usize;
        let misplaced = JoinError::Misplaced { piece, start, length };
        let gap = start.checked_sub(length).ok_or(misplaced)?;
        match document.meta.get(BEFORE).and_then(Value::as_str) {
            Some(before) if before.chars().count() == gap => text.push_str(before),
            // A `start` that somebody made up must not fill the memory.
            None if gap <= SPACES => text.extend(std::iter::repeat_n(' ', gap)),
            _ => return Err(JoinError::Misplaced { piece, start, length }),
        }
        let shift = text.len();
        let shifted = |span: Span| Span::new(span.start() + shift, span.end() + shift).ok();
        entities.extend(
            document
                .entities()
                .iter()
                .filter_map(|entity| shifted(entity.span).map(|span| Entity { span, ..entity.clone() })),
        );
        tokens = tokens.zip(document.tokens()).map(|(mut tokens, of_piece)| {
            tokens.extend(of_piece.iter().filter_map(|token| shifted(*token)));
            tokens
        });
        text.push_str(document.text());
        length = start + document.text().chars().count();
        if let Some(after) = document.meta.get(AFTER).and_then(Value::as_str) {
            text.push_str(after);
            length += after.chars().count();
        }
    }
    let mut joined = Document::new(text).with_entities(entities)?;
    if let Some(tokens) = tokens {
        joined = joined.with_tokens(tokens)?;
    }
    joined.id = parent.as_str().map(str::to_owned);
    joined.meta.clone_from(&first.meta);
    for field in [PARENT, START, BEFORE, AFTER] {
        joined.meta.shift_remove(field);
    }
    joined.partial = pieces.iter().any(|piece| piece.partial);
    joined.looked_for.clone_from(&first.looked_for);
    Ok(joined)
}
