//! Every piece of a text as transformers' pipeline for token classification sees it.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tokenizers::{Decoder, DecoderWrapper, Encoding, PostProcessor, PostProcessorWrapper};

use super::Window;

/// A text whose every piece is judged, not only the deciding ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedText {
    /// All pieces but the special tokens around the text, in order.
    pub pieces: Vec<ListedPiece>,
    /// The windows, in order. Read one after another, their rows decide all pieces in order.
    pub windows: Vec<Window>,
}

/// A piece as transformers' pipeline hands it on (`gather_pre_entities` of `TokenClassificationPipeline`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPiece {
    /// Bytes of the text, on character boundaries. Unlike the span of a slot it may begin with a space, as that
    /// tokenizer's offsets do, and it may be empty.
    pub range: Range<usize>,
    /// The piece as the vocabulary writes it, such as `##ing`; what it covers where the vocabulary does not know it.
    pub token: String,
    /// Its row in the window that decides it, special tokens counted.
    pub index: usize,
    /// Whether it goes on with the word of the piece before it.
    pub continues: bool,
}

/// What listing needs of a tokenizer beside its pieces.
#[derive(Debug)]
pub(super) struct Listing {
    /// Trims offsets, where the file says so.
    pub post_processor: Option<PostProcessorWrapper>,
    /// Writes pieces as text again.
    pub decoder: Option<DecoderWrapper>,
    /// Whether continuing pieces have a mark.
    pub marks_continuing: bool,
    /// The id of what the vocabulary does not know.
    pub unknown: Option<u32>,
}

impl Listing {
    /// The pieces of an encoding whose offsets count bytes; `token` writes an id. Their indices are those of the text.
    pub fn pieces(
        &self,
        text: &str,
        encoding: Encoding,
        token: impl Fn(u32) -> String,
    ) -> tokenizers::Result<Vec<ListedPiece>> {
        let encoding = match &self.post_processor {
            Some(post_processor) => post_processor.process(encoding, None, false)?,
            None => encoding,
        };
        let piece = |(index, (id, (start, end))): (usize, (&u32, &(usize, usize)))| {
            let range = characters(text, *start, *end);
            let quote = &text[range.clone()];
            if self.unknown == Some(*id) {
                return ListedPiece { token: quote.to_owned(), index, continues: false, range };
            }
            let token = token(*id);
            let continues = if self.marks_continuing {
                token.chars().count() != quote.chars().count()
            } else {
                follows_without_space(text, range.start)
            };
            ListedPiece { range, token, index, continues }
        };
        Ok(encoding.get_ids().iter().zip(encoding.get_offsets()).enumerate().map(piece).collect())
    }

    /// Pieces as one text, with the file's decoder; without one, or where it breaks down, they are parted by spaces.
    pub fn words(&self, tokens: &[&str]) -> String {
        let decode = AssertUnwindSafe(|| {
            let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
            self.decoder.as_ref().and_then(|decoder| decoder.decode(tokens).ok())
        });
        catch_unwind(decode).ok().flatten().unwrap_or_else(|| tokens.join(" "))
    }
}

/// Where a tokenizer does not mark continuing pieces, the pipeline takes every piece for one that has no space before it
/// or at its start.
fn follows_without_space(text: &str, start: usize) -> bool {
    start > 0 && !text[..start].ends_with(' ') && !text[start..].starts_with(' ')
}

/// The whole characters of a range of bytes; an end inside a character counts as its start, as in the tokenizers crate.
fn characters(text: &str, start: usize, end: usize) -> Range<usize> {
    let floor = |byte: usize| (0..=byte.min(text.len())).rev().find(|byte| text.is_char_boundary(*byte)).unwrap_or(0);
    let start = floor(start);
    start..floor(end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_lies_on_characters_of_its_text() {
        let text = "a\u{e9}\u{1f600}";
        assert_eq!(characters(text, 0, 1), 0..1);
        assert_eq!(characters(text, 1, 3), 1..3);
        assert_eq!(characters(text, 2, 5), 1..3);
        assert_eq!(characters(text, 3, 90), 3..7);
        assert_eq!(characters(text, 7, 7), 7..7);
        assert_eq!(characters(text, 5, 2), 3..3);
    }

    #[test]
    fn only_spaces_part_words_where_continuing_pieces_have_no_mark() {
        let text = "Anna, in\u{a0}Lyon now";
        let follows: Vec<usize> = (0..text.len())
            .filter(|byte| text.is_char_boundary(*byte) && !follows_without_space(text, *byte))
            .collect();
        assert_eq!(follows, [0, 5, 6, 13, 14]);
        assert!(follows_without_space(text, text.len()));
    }
}
