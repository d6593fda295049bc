//! The range type that every annotation is made of.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Half-open range of UTF-8 bytes, never empty.
///
/// [`Span::of`] also proves that both ends lie on character boundaries of a text; a span is only meaningful
/// together with the text that it was made for. Texts are limited to 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct Span {
    start: u32,
    end: u32,
}

/// Why a pair of offsets is not a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpanError {
    /// `start == end`.
    #[error("empty span at {0}")]
    Empty(usize),
    /// `start > end`.
    #[error("reversed span: start {start} is after end {end}")]
    Reversed {
        /// Where the span was said to start.
        start: usize,
        /// Where the span was said to end.
        end: usize,
    },
    /// The end lies behind the text.
    #[error("span ends at {end}, past the end of the text at {len}")]
    PastEnd {
        /// Where the span was said to end.
        end: usize,
        /// Length of the text, in the same unit.
        len: usize,
    },
    /// An offset falls inside a character.
    #[error("offset {0} lies inside a character")]
    InsideCharacter(usize),
}

impl Span {
    /// A span from two byte offsets.
    ///
    /// # Errors
    /// The range is empty or reversed, or ends past 4 GiB.
    pub fn new(start: usize, end: usize) -> Result<Self, SpanError> {
        if start > end {
            return Err(SpanError::Reversed { start, end });
        }
        if start == end {
            return Err(SpanError::Empty(start));
        }
        let limit = u32::MAX as usize;
        if end > limit {
            return Err(SpanError::PastEnd { end, len: limit });
        }
        Ok(Self { start: start as u32, end: end as u32 })
    }

    /// A span of `text`, proven to lie inside it and on character boundaries.
    ///
    /// # Errors
    /// As [`Span::new`], and when an offset lies past the end of `text` or inside one of its characters.
    pub fn of(text: &str, range: Range<usize>) -> Result<Self, SpanError> {
        let span = Self::new(range.start, range.end)?;
        if range.end > text.len() {
            return Err(SpanError::PastEnd { end: range.end, len: text.len() });
        }
        for offset in [range.start, range.end] {
            if !text.is_char_boundary(offset) {
                return Err(SpanError::InsideCharacter(offset));
            }
        }
        Ok(span)
    }

    /// First byte.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// One past the last byte.
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// Length in bytes, at least 1.
    #[allow(clippy::len_without_is_empty)] // a span is never empty
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// The bytes as a range, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    /// The text under the span.
    ///
    /// # Panics
    /// `text` is not the text that the span was made for.
    pub fn quote(self, text: &str) -> &str {
        &text[self.range()]
    }

    /// Whether the two share a byte. Spans that only touch do not overlap.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether every byte of `other` lies in `self`.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that contains both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl TryFrom<(u32, u32)> for Span {
    type Error = SpanError;

    fn try_from((start, end): (u32, u32)) -> Result<Self, SpanError> {
        Self::new(start as usize, end as usize)
    }
}

impl From<Span> for (u32, u32) {
    fn from(span: Span) -> Self {
        (span.start, span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_spans_do_not_overlap() {
        let (a, b) = (Span::new(0, 3).unwrap(), Span::new(3, 5).unwrap());
        assert!(!a.overlaps(b) && !b.overlaps(a));
        assert!(a.overlaps(Span::new(2, 4).unwrap()));
    }

    #[test]
    fn empty_reversed_outside_and_split_characters_are_refused() {
        let text = "né"; // n = 1 byte, é = 2 bytes
        assert_eq!(Span::of(text, 1..1), Err(SpanError::Empty(1)));
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = Span::of(text, 2..1);
        assert_eq!(reversed, Err(SpanError::Reversed { start: 2, end: 1 }));
        assert_eq!(Span::of(text, 1..4), Err(SpanError::PastEnd { end: 4, len: 3 }));
        assert_eq!(Span::of(text, 0..2), Err(SpanError::InsideCharacter(2)));
        assert_eq!(Span::of(text, 1..3).unwrap().quote(text), "é");
    }
}
