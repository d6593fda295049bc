//! A changed text that knows where everything in it came from.

use std::ops::Range;

use schema::Span;

/// A text made from another one, and for each of its bytes the range of the original that it came from.
///
/// Both texts are cut into the same number of pieces, in the same order. A piece was copied byte by byte, or it was
/// changed as a whole; a changed piece may be empty in the new text (removed), never in the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    new_end: usize,
    old_end: usize,
    copied: bool,
}

/// Where a span of the original stands in the new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Here.
    Kept(Span),
    /// Nowhere: all of its text was removed.
    Removed,
    /// Nowhere: it starts or ends inside something that was changed as a whole.
    Cut,
}

/// A part of a text that is replaced, and what by. Ranges lie on character boundaries and are not empty.
pub(crate) type Change = (Range<usize>, String);

impl Mapped {
    /// The text with these changes, which are in order and do not overlap; one that changes nothing is a copy.
    pub(crate) fn new(original: &str, changes: impl IntoIterator<Item = Change>) -> Self {
        let mut mapped = Self { text: String::with_capacity(original.len()), pieces: Vec::new() };
        let mut at = 0;
        for (range, replacement) in changes {
            if original[range.clone()] == replacement {
                continue;
            }
            mapped.copy(original, at..range.start);
            mapped.text.push_str(&replacement);
            mapped.push(range.end, mapped.text.len(), false);
            at = range.end;
        }
        mapped.copy(original, at..original.len());
        mapped
    }

    fn copy(&mut self, original: &str, range: Range<usize>) {
        self.text.push_str(&original[range.clone()]);
        self.push(range.end, self.text.len(), true);
    }

    /// Adds the piece up to these ends; empty ones are none, and copies that touch are one.
    fn push(&mut self, old_end: usize, new_end: usize, copied: bool) {
        let piece = Piece { new_end, old_end, copied };
        match self.pieces.last_mut() {
            Some(last) if last.old_end == old_end => {}
            None if old_end == 0 => {}
            Some(last) if last.copied && copied => *last = piece,
            _ => self.pieces.push(piece),
        }
    }

    /// The new text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The new text, without its map.
    pub fn into_text(self) -> String {
        self.text
    }

    /// In how many places the original was changed.
    pub fn changes(&self) -> usize {
        self.pieces.iter().filter(|piece| !piece.copied).count()
    }

    /// Where a span of the original stands in the new text.
    ///
    /// Text that was removed at an end of the span is no longer part of it.
    pub fn moved(&self, span: Span) -> Moved {
        match (self.new_start(span.start()), self.new_end(span.end())) {
            (Some(start), Some(end)) => Span::new(start, end).map_or(Moved::Removed, Moved::Kept),
            _ => Moved::Cut,
        }
    }

    /// The range of the original that a span of the new text came from: of text that was changed as a whole, all.
    pub fn origin(&self, span: Span) -> Range<usize> {
        let at = self.pieces.partition_point(|piece| piece.new_end <= span.start());
        let start = match (self.starts(at), self.pieces.get(at)) {
            ((old, new), Some(piece)) if piece.copied => old + (span.start() - new),
            ((old, _), _) => old,
        };
        let at = self.pieces.partition_point(|piece| piece.new_end < span.end());
        let end = match (self.starts(at), self.pieces.get(at)) {
            ((old, new), Some(piece)) if piece.copied => old + (span.end() - new),
            (_, Some(piece)) => piece.old_end,
            ((old, _), None) => old,
        };
        start..end
    }

    /// The map from this one's original to the text of `next`, which was made from this text.
    ///
    /// Where `next` changed a part of what this one had changed as a whole, both are one change: a span that starts or ends inside of it
    /// is then [`Moved::Cut`], though one map after the other may keep it. It never says another place.
    ///
    /// # Panics
    /// `next` was made from a text of another length.
    #[must_use]
    pub fn then(&self, next: Self) -> Self {
        assert_eq!(self.text.len(), next.pieces.last().map_or(0, |piece| piece.old_end), "not made from this text");
        let mut mapped = Self { text: next.text, pieces: Vec::new() };
        let (mut firsts, mut seconds) = (self.pieces.iter().peekable(), next.pieces.iter().peekable());
        // Ends in the original, in the text between (as the first and as the second map got there) and in the new text.
        let (mut old, mut left, mut right, mut new) = (0, 0, 0, 0);
        loop {
            let both = match (firsts.peek(), seconds.peek()) {
                (Some(first), Some(second)) if left == right && first.copied && second.copied => {
                    let length = (first.new_end - left).min(second.old_end - right);
                    (old, left, right, new) = (old + length, left + length, right + length, new + length);
                    true
                }
                // Whatever either map changed as a whole stays whole: the one behind catches up.
                (Some(first), _) if left < right || (left == right && !first.copied) => {
                    let end = if first.copied { right.min(first.new_end) } else { first.new_end };
                    old = if first.copied { old + (end - left) } else { first.old_end };
                    left = end;
                    false
                }
                (_, Some(second)) => {
                    let end = if second.copied { left.min(second.old_end) } else { second.old_end };
                    new = if second.copied { new + (end - right) } else { second.new_end };
                    right = end;
                    false
                }
                (_, None) => return mapped,
            };
            firsts.next_if(|first| first.new_end == left && first.old_end == old);
            seconds.next_if(|second| second.old_end == right);
            if left == right {
                mapped.push(old, new, both);
            }
        }
    }

    /// Where piece `at` starts, in the original and in the new text.
    fn starts(&self, at: usize) -> (usize, usize) {
        at.checked_sub(1).and_then(|before| self.pieces.get(before)).map_or((0, 0), |last| (last.old_end, last.new_end))
    }

    fn new_start(&self, offset: usize) -> Option<usize> {
        let at = self.pieces.partition_point(|piece| piece.old_end <= offset);
        let (old, new) = self.starts(at);
        let piece = self.pieces.get(at)?;
        let removed = piece.new_end == new;
        if piece.copied { Some(new + (offset - old)) } else { (offset == old || removed).then_some(new) }
    }

    fn new_end(&self, offset: usize) -> Option<usize> {
        let at = self.pieces.partition_point(|piece| piece.old_end < offset);
        let (old, new) = self.starts(at);
        let piece = self.pieces.get(at)?;
        let removed = piece.new_end == new;
        if piece.copied {
            Some(new + (offset - old))
        } else {
            (offset == piece.old_end || removed).then_some(piece.new_end)
        }
    }
}
