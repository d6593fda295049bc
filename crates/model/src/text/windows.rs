//! Windows of bounded length in which every slot is decided once.

use std::ops::Range;

use schema::Span;
use thiserror::Error;

use super::{
    Pieces,
    align::{Alignment, slots},
};

/// The special tokens around a single text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// Before the text, such as `[CLS]`.
    pub prefix: Vec<u32>,
    /// Behind it, such as `[SEP]`.
    pub suffix: Vec<u32>,
}

/// How long windows are and how far neighbours overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windowing {
    template: Template,
    capacity: usize,
    stride: usize,
}

/// Why no windows of these measures exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WindowError {
    /// Nothing but special tokens would fit.
    #[error("a window of {max_length} pieces has no room beside its {special} special tokens; raise max_length")]
    NoRoom {
        /// The length that was asked for.
        max_length: usize,
        /// How many special tokens a window holds.
        special: usize,
    },
    /// The next window would not advance.
    #[error(
        "a stride (overlap) of {stride} pieces does not fit windows of {capacity} pieces beside the special tokens; lower stride or raise max_length"
    )]
    Stride {
        /// The overlap that was asked for.
        stride: usize,
        /// Pieces of the text in a window.
        capacity: usize,
    },
}

impl Windowing {
    /// Windows of at most `max_length` pieces, special tokens included, that share at most `stride` pieces with
    /// the next (the meaning that `stride` has in transformers).
    ///
    /// # Errors
    /// The template leaves no room, or the overlap none to advance.
    pub fn new(template: Template, max_length: usize, stride: usize) -> Result<Self, WindowError> {
        let special = template.prefix.len() + template.suffix.len();
        let capacity = max_length.saturating_sub(special);
        if capacity == 0 {
            return Err(WindowError::NoRoom { max_length, special });
        }
        if stride >= capacity {
            return Err(WindowError::Stride { stride, capacity });
        }
        Ok(Self { template, capacity, stride })
    }
}

/// One sequence for the encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Rows of the embedding table, special tokens included. The token types of single texts are all 0.
    pub ids: Vec<u32>,
    /// Row of this window and the slot that it decides, in order of both.
    pub decides: Vec<(u32, u32)>,
}

/// A text as the model sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedText {
    /// What gets one tag each: spans of the text, in order, without overlaps.
    pub slots: Vec<Span>,
    /// The windows, in order. Read one after another, their rows decide all slots but the undecided in order.
    pub windows: Vec<Window>,
    /// Slots without a piece (known words that the tokenizer drops, such as control characters), in order. They
    /// are outside every entity, or inside one that goes on behind them.
    pub undecided: Vec<u32>,
    /// Pieces of the text, those in two windows counted once.
    pub pieces: usize,
}

impl EncodedText {
    /// The slots that a window decides, in order: one for every row of logits that [`crate::decode`] takes.
    pub fn decided(&self) -> impl Iterator<Item = Span> {
        self.windows.iter().flat_map(|window| &window.decides).map(|(_, slot)| self.slots[*slot as usize])
    }
}

/// Finds the slots of a text and puts its pieces into windows; `words` are the known words that the pieces were
/// made from, if they were.
///
/// A slot is decided in the window where its piece is farthest from the nearer edge; an edge of the text does not
/// count as one. Windows begin and end between words, unless one word fills a window. Windows that decide
/// nothing are left out.
pub fn encode(pieces: &Pieces, words: Option<&[Span]>, alignment: Alignment, windowing: &Windowing) -> EncodedText {
    let slots = slots(pieces, words, alignment);
    let numbered = || slots.deciders.iter().zip(0u32..);
    let undecided = numbered().filter(|(decider, _)| decider.is_none()).map(|(_, slot)| slot).collect();
    let deciding = numbered().filter_map(|(decider, slot)| decider.map(|piece| (piece as usize, slot)));
    let windows = windows(pieces, windowing, deciding);
    EncodedText { slots: slots.spans, windows, undecided, pieces: pieces.len() }
}

/// Windows in which every piece is decided once, as the slot of its own position.
pub(super) fn windows_of_all(pieces: &Pieces, windowing: &Windowing) -> Vec<Window> {
    windows(pieces, windowing, (0..pieces.len()).map(|piece| (piece, piece as u32)))
}

/// The windows that decide, each with its share of `deciding`: pieces and their slots, in order of both.
fn windows(pieces: &Pieces, windowing: &Windowing, deciding: impl Iterator<Item = (usize, u32)>) -> Vec<Window> {
    let ranges = ranges(pieces, windowing);
    let Template { prefix, suffix } = &windowing.template;
    let mut windows: Vec<Window> = ranges
        .iter()
        .map(|range| Window {
            ids: prefix.iter().chain(&pieces.ids[range.clone()]).chain(suffix).copied().collect(),
            decides: Vec::new(),
        })
        .collect();
    let mut current = 0;
    for (piece, slot) in deciding {
        // Context rises and falls once over the windows that hold a piece, and later pieces peak no earlier.
        let context = |window: usize| context(&ranges[window], piece, pieces.len());
        while piece >= ranges[current].end || (current + 1 < ranges.len() && context(current + 1) > context(current)) {
            current += 1;
        }
        let row = prefix.len() + piece - ranges[current].start;
        windows[current].decides.push((row as u32, slot));
    }
    windows.retain(|window| !window.decides.is_empty());
    windows
}

/// Pieces between `piece` and the nearer edge of a window, `None` where the window does not hold it.
fn context(window: &Range<usize>, piece: usize, len: usize) -> Option<usize> {
    if !window.contains(&piece) {
        return None;
    }
    let before = if window.start == 0 { usize::MAX } else { piece - window.start };
    let after = if window.end == len { usize::MAX } else { window.end - 1 - piece };
    Some(before.min(after))
}

/// The windows as ranges of pieces.
fn ranges(pieces: &Pieces, windowing: &Windowing) -> Vec<Range<usize>> {
    let &Windowing { capacity, stride, .. } = windowing;
    let len = pieces.len();
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < len {
        let cut = (start + capacity).min(len);
        let is_edge = |piece: &usize| *piece == len || pieces.starts_word(*piece);
        // The last edge between words, or a cut inside a word that alone is too long.
        let end = (start + 1..=cut).rev().find(is_edge).unwrap_or(cut);
        ranges.push(start..end);
        if end == len {
            break;
        }
        // The next window must reach behind the word that follows, or it would end where this one does.
        let earliest = match (end + 1..=len).take(capacity).find(is_edge) {
            Some(following) => end.saturating_sub(stride).max(following.saturating_sub(capacity)).max(start + 1),
            None if is_edge(&end) => end,
            None => (end - stride).max(start + 1),
        };
        start = (earliest..=end).find(is_edge).unwrap_or(earliest);
    }
    ranges
}
