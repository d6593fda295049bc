//! The pieces of one text.

use schema::Span;
use unicode_segmentation::GraphemeCursor;

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

/// Lets pieces cover the rest of a character as a reader sees it (Unicode's extended grapheme cluster), as far as
/// no other piece covers it: normalizers drop accents and variation selectors and compose syllables, and lay what
/// comes out over the first code point only.
pub(super) fn take_clusters(text: &str, spans: &mut [Option<Span>]) {
    if text.is_ascii() {
        return;
    }
    let mut next = text.len();
    for span in spans.iter_mut().rev().flatten() {
        // Pieces of one character reach into each other.
        if span.end() < next {
            let mut cursor = GraphemeCursor::new(span.end(), text.len(), true);
            if cursor.is_boundary(text, 0) == Ok(false)
                && let Ok(Some(end)) = cursor.next_boundary(text, 0)
            {
                *span = Span::new(span.start(), end.min(next)).unwrap_or(*span);
            }
        }
        next = next.min(span.start());
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
    fn what_no_piece_covers_of_a_cluster_belongs_to_the_piece_before() {
        let text = "e\u{301}\u{302} a\u{303}b\u{304}";
        let span = |start, end| Span::new(start, end).ok();
        let mut spans = vec![span(0, 1), None, span(6, 7), span(7, 9), span(9, 10)];
        take_clusters(text, &mut spans);
        assert_eq!(spans, [span(0, 5), None, span(6, 7), span(7, 9), span(9, 12)]);
        let mut syllable = [span(0, 3)];
        take_clusters("\u{1112}\u{1161}\u{11ab}x", &mut syllable);
        assert_eq!(syllable, [span(0, 9)]);
    }

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
