//! The pieces of one text.

use schema::Span;

/// The word pieces of one text, without special tokens.
///
/// The three lists are parallel. Words are numbered upward, not always without gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Rows of the embedding table.
    pub ids: Vec<u32>,
    /// What a piece covers of the original text, white space at its ends left out; `None` where nothing is left.
    /// Pieces that share a character (bytes of an emoji) both cover it.
    pub spans: Vec<Option<Span>>,
    /// The word that a piece belongs to: the position among the known words, or a count of the tokenizer's own.
    pub words: Vec<u32>,
}

impl Pieces {
    /// How many pieces there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether a piece is the first of its word.
    pub fn starts_word(&self, piece: usize) -> bool {
        piece == 0 || self.words[piece] != self.words[piece - 1]
    }
}

/// What a range of bytes covers of `text`: whole characters, without white space at the ends.
pub(super) fn visible(text: &str, start: usize, end: usize) -> Option<Span> {
    let (mut start, mut end) = (start.min(text.len()), end.min(text.len()));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let covered = text.get(start..end)?.trim_end();
    let start = start + covered.len() - covered.trim_start().len();
    Span::new(start, start + covered.trim_start().len()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_visible_characters_are_covered() {
        let text = " \u{1f600} a\u{301}\u{3000}";
        let range = |start, end| visible(text, start, end).map(Span::range);
        assert_eq!(range(0, 3), Some(1..5)); // cut inside the emoji
        assert_eq!(range(5, text.len()), Some(6..9));
        assert_eq!(range(9, text.len()), None);
        assert_eq!(range(0, 1), None);
        assert_eq!(range(4, 4), Some(1..5)); // an empty range inside a character
        assert_eq!(range(6, 6), None);
        assert_eq!(range(90, 91), None);
        assert_eq!(range(7, 6), None);
    }
}
