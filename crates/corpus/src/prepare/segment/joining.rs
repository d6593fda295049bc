//! The pieces of many documents, put together one document after the other.

use std::{collections::HashSet, mem};

use schema::Document;
use serde_json::Value;

use super::{BEFORE, JoinError, PARENT, START, join};

/// Takes pieces in their order and gives each document once its last piece is there.
///
/// That a document's last pieces are missing cannot be seen; every other piece that is missing, twice there or in another
/// place can, where the documents have names.
#[derive(Debug, Default)]
pub struct Joining {
    pieces: Vec<Document>,
    /// The documents whose pieces are all there.
    done: HashSet<String>,
    /// Places between two pieces of more than one space, which no piece writes down.
    filled: usize,
}

impl Joining {
    /// Takes the next piece; the document before, where this is the first piece of another one.
    ///
    /// # Errors
    /// The piece does not say where it comes from, it belongs to a document that is over, or those before it are no document.
    pub fn push(&mut self, piece: Document) -> Result<Option<Document>, JoinError> {
        let parent =
            piece.meta.get(PARENT).ok_or(JoinError::Unplaced { piece: self.pieces.len() + 1, field: PARENT })?;
        let ended = match self.pieces.first() {
            Some(first) if first.meta.get(PARENT) != Some(parent) => self.take()?,
            _ => None,
        };
        if self.pieces.is_empty() && self.done.contains(&parent.to_string()) {
            return Err(JoinError::Apart { parent: parent.to_string() });
        }
        self.follows(&piece)?;
        self.pieces.push(piece);
        Ok(ended)
    }

    /// The last document.
    ///
    /// # Errors
    /// Its pieces are no document.
    pub fn finish(&mut self) -> Result<Option<Document>, JoinError> {
        self.take()
    }

    /// How many places of two or more spaces were made because pieces do not write such places down.
    pub fn filled(&self) -> usize {
        self.filled
    }

    fn take(&mut self) -> Result<Option<Document>, JoinError> {
        let pieces = mem::take(&mut self.pieces);
        let Some(parent) = pieces.first().and_then(|first| first.meta.get(PARENT)) else { return Ok(None) };
        self.done.insert(parent.to_string());
        join(&pieces).map(Some)
    }

    /// Pieces of a document that has a name are numbered in theirs.
    fn follows(&mut self, piece: &Document) -> Result<(), JoinError> {
        let (number, expected) = (numbered(piece), self.pieces.len() + 1);
        if let Some(found) = number.filter(|found| *found != expected) {
            return Err(JoinError::Missing { expected, found });
        }
        let start = piece.meta.get(START).and_then(Value::as_u64).unwrap_or(0) as usize;
        let end = self.pieces.last().map_or(0, |last| {
            last.meta.get(START).and_then(Value::as_u64).unwrap_or(0) as usize + last.text().chars().count()
        });
        self.filled += usize::from(start > end + 1 && !piece.meta.contains_key(BEFORE));
        Ok(())
    }
}

/// The number of a piece whose name is that of its document and `#NUMBER`.
fn numbered(piece: &Document) -> Option<usize> {
    let parent = piece.meta.get(PARENT)?.as_str()?;
    piece.id.as_deref()?.strip_prefix(parent)?.strip_prefix('#')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Segmentation, segment},
        *,
    };

    fn pieces() -> Vec<Document> {
        let named = |name: &str, text: &str| {
            let mut document = Document::new(text);
            document.id = Some(name.to_owned());
            document
        };
        let documents = [named("a", "It is. It was.  It will be."), named("b", "One. Two.")];
        let cut = |(at, document)| segment(document, at, Segmentation::Sentences).unwrap().pieces;
        (1..).zip(&documents).flat_map(cut).collect()
    }

    fn joined(pieces: impl IntoIterator<Item = Document>) -> Result<(Vec<String>, usize), JoinError> {
        let mut joining = Joining::default();
        let mut texts = Vec::new();
        for piece in pieces {
            texts.extend(joining.push(piece)?.map(|document| document.text().to_owned()));
        }
        texts.extend(joining.finish()?.map(|document| document.text().to_owned()));
        Ok((texts, joining.filled()))
    }

    #[test]
    fn documents_come_back_in_their_order() {
        let (texts, filled) = joined(pieces()).unwrap();
        assert_eq!((texts, filled), (vec!["It is. It was.  It will be.".to_owned(), "One. Two.".to_owned()], 1));
        assert_eq!(joined([]).unwrap(), (Vec::new(), 0));
    }

    #[test]
    fn a_piece_that_is_missing_twice_there_or_elsewhere_is_told() {
        let without =
            |at: usize| pieces().into_iter().enumerate().filter(move |(place, _)| *place != at).map(|(_, p)| p);
        assert!(matches!(joined(without(0)), Err(JoinError::Missing { expected: 1, found: 2 })));
        assert!(matches!(joined(without(1)), Err(JoinError::Missing { expected: 2, found: 3 })));
        let twice = pieces().into_iter().flat_map(|piece| [piece.clone(), piece]);
        assert!(matches!(joined(twice), Err(JoinError::Missing { expected: 2, found: 1 })));
        let mut apart = pieces();
        apart.rotate_left(1);
        assert!(matches!(joined(apart), Err(JoinError::Missing { expected: 1, found: 2 })));
        let mut unnamed = pieces();
        for piece in &mut unnamed {
            piece.id = None;
        }
        unnamed.swap(2, 3);
        assert!(matches!(joined(unnamed), Err(JoinError::Apart { .. })));
        assert!(matches!(joined([Document::new("a")]), Err(JoinError::Unplaced { piece: 1, .. })));
    }
}
