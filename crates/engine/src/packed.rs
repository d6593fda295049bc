//! The layout of a batch: sequences end to end, never padded.

use std::ops::Range;

/// Boundaries of the sequences of a batch. All activations are `[rows, width]` with one row a token, the
/// sequences following each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    ends: Vec<usize>,
}

impl Packed {
    /// The layout of sequences with these lengths.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut end = 0;
        let ends = lengths
            .into_iter()
            .map(|length| {
                end += length;
                end
            })
            .collect();
        Self { ends }
    }

    /// Number of rows in all sequences together.
    pub fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no sequence.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The rows of each sequence, in order.
    pub fn sequences(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        self.ends
            .iter()
            .enumerate()
            .map(|(index, &end)| index.checked_sub(1).map_or(0, |before| self.ends[before])..end)
    }

    /// Position of every row in its sequence.
    pub fn positions(&self) -> Vec<u32> {
        self.sequences().flat_map(|rows| 0..rows.len() as u32).collect()
    }

    /// Rows of the longest sequence.
    pub fn longest(&self) -> usize {
        self.sequences().map(|rows| rows.len()).max().unwrap_or(0)
    }
}
