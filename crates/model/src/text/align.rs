//! Which pieces decide, and for which part of the text.

use schema::Span;
use serde::{Deserialize, Serialize};

use super::Pieces;

/// Which pieces carry a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// The first piece of a word decides for the word, as in transformers' examples for token classification.
    ///
    /// Words are the known ones of a document. Where there are none they are what the tokenizer separates before
    /// it cuts pieces, and punctuation always stands alone. With `WordPiece` this equals the words of
    /// transformers' pipeline (`aggregation_strategy="first"`), but for characters whose normal form has another
    /// length, which the pipeline takes for continuations. Tokenizers without a mark for continuing pieces
    /// (`RoBERTa`, XLM-R, `CamemBERT`) make the pipeline split at spaces only, so that `Paris,` is one word there and
    /// its entity ends behind the comma; here the comma decides for itself.
    Word,
    /// Every piece decides for the characters that it covers and no piece before it.
    Piece,
}

/// The slots of a text and the piece that decides each.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// In order, without overlaps.
    pub spans: Vec<Span>,
    /// Parallel to the spans; `None` where a known word has no piece.
    pub deciders: Vec<Option<u32>>,
}

impl Slots {
    fn push(&mut self, span: Span, decider: Option<u32>) {
        self.spans.push(span);
        self.deciders.push(decider);
    }
}

/// Finds the slots of a text; `words` are its known words, if it has any.
pub(super) fn slots(pieces: &Pieces, words: Option<&[Span]>, alignment: Alignment) -> Slots {
    match (alignment, words) {
        (Alignment::Word, Some(words)) => known_words(pieces, words),
        (Alignment::Word, None) => own_words(pieces),
        (Alignment::Piece, _) => single_pieces(pieces),
    }
}

fn known_words(pieces: &Pieces, words: &[Span]) -> Slots {
    let mut deciders = vec![None; words.len()];
    for (piece, word) in pieces.words.iter().enumerate().rev() {
        deciders[*word as usize] = Some(piece as u32);
    }
    Slots { spans: words.to_vec(), deciders }
}

fn own_words(pieces: &Pieces) -> Slots {
    let mut slots = Slots::default();
    let (mut first, mut end) = (0, 0);
    for piece in 0..pieces.len() {
        if pieces.starts_word(piece) {
            first = piece;
        }
        if piece + 1 == pieces.len() || pieces.starts_word(piece + 1) {
            let covered = pieces.spans[first..=piece].iter().flatten().copied().reduce(Span::join);
            if let Some(span) = covered.and_then(|span| behind(span, end)) {
                end = span.end();
                slots.push(span, Some(first as u32));
            }
        }
    }
    slots
}

fn single_pieces(pieces: &Pieces) -> Slots {
    let mut slots = Slots::default();
    let mut end = 0;
    for (piece, span) in pieces.spans.iter().enumerate() {
        if let Some(span) = span.and_then(|span| behind(span, end)) {
            end = span.end();
            slots.push(span, Some(piece as u32));
        }
    }
    slots
}

/// What of a span lies behind `end`, the end of another span of the same text.
fn behind(span: Span, end: usize) -> Option<Span> {
    Span::new(span.start().max(end), span.end()).ok()
}
