//! What is known about data and base before a run: what [`crate::plan`] decides by.

use std::collections::BTreeMap;

use model::{encoder::Shape, text::EncodedText};
use schema::{Document, Label};

/// What a plan is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The training set.
    pub train: DataFacts,
    /// The dev set, if there is one.
    pub dev: Option<DataFacts>,
    /// The base model.
    pub base: BaseFacts,
    /// Threads that the machine can run at once.
    pub cores: usize,
    /// F1 that the model has on the new texts before it learns them, where it is updated.
    pub known: Option<f64>,
}

/// What is known about a data set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DataFacts {
    /// Texts.
    pub texts: usize,
    /// Texts with known words.
    pub texts_with_words: usize,
    /// Texts without an entity.
    pub texts_without_entities: usize,
    /// Texts without an entity whose entities are not all there, so that they teach nothing.
    pub texts_without_knowledge: usize,
    /// Slots that get a tag.
    pub decided: usize,
    /// Entities a label.
    pub labels: BTreeMap<Label, usize>,
    /// Word pieces of the texts that teach something.
    pub lengths: Lengths,
}

/// Word pieces a text, special tokens not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lengths {
    sorted: Vec<usize>,
    total: usize,
}

/// What is known about a base model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseFacts {
    /// Width of the hidden states.
    pub width: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of weights.
    pub parameters: usize,
    /// Longest sequence in pieces, special tokens included.
    pub positions: usize,
}

impl DataFacts {
    /// What documents and their encoded texts say. The facts are the same for every `max_length` and `stride`.
    pub fn of<'d>(texts: impl IntoIterator<Item = (&'d Document, &'d EncodedText)>) -> Self {
        let mut facts = Self::default();
        let mut lengths = Vec::new();
        for (document, encoded) in texts {
            facts.texts += 1;
            facts.texts_with_words += usize::from(document.tokens().is_some());
            facts.decided += encoded.slots.len() - encoded.undecided.len();
            for entity in document.entities() {
                *facts.labels.entry(entity.label.clone()).or_insert(0) += 1;
            }
            if document.entities().is_empty() {
                facts.texts_without_entities += 1;
                if document.partial {
                    facts.texts_without_knowledge += 1;
                    continue;
                }
            }
            lengths.push(encoded.pieces);
        }
        facts.lengths = Lengths::new(lengths);
        facts
    }

    /// Entities of all labels.
    pub fn entities(&self) -> usize {
        self.labels.values().sum()
    }

    /// Labels with fewer entities than this, in order.
    pub fn labels_below(&self, entities: usize) -> impl Iterator<Item = (&Label, usize)> {
        self.labels.iter().map(|(label, count)| (label, *count)).filter(move |(_, count)| *count < entities)
    }
}

impl Lengths {
    /// From one length a text, in any order.
    pub fn new(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        Self { total: lengths.iter().sum(), sorted: lengths }
    }

    /// Pieces of all texts.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Pieces of the longest text.
    pub fn longest(&self) -> usize {
        self.sorted.last().copied().unwrap_or(0)
    }

    /// The smallest length that at least `percent` of 100 texts do not exceed; 0 without texts.
    pub fn percentile(&self, percent: usize) -> usize {
        let rank = (self.sorted.len() * percent.min(100)).div_ceil(100);
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// Texts with more pieces than this.
    pub fn above(&self, pieces: usize) -> usize {
        self.sorted.len() - self.sorted.partition_point(|length| *length <= pieces)
    }

    /// Windows that hold `capacity` pieces each and share `stride` with the next; texts without a piece have none.
    /// A lower bound by little: windows end between words.
    pub fn windows(&self, capacity: usize, stride: usize) -> usize {
        let advance = capacity.saturating_sub(stride).max(1);
        let empty = self.sorted.partition_point(|length| *length == 0);
        self.sorted[empty..].iter().map(|length| 1 + length.saturating_sub(capacity).div_ceil(advance)).sum()
    }
}

impl BaseFacts {
    /// What a model of this shape and so many weights is.
    pub fn new(shape: &Shape, parameters: usize) -> Self {
        Self { width: shape.width, layers: shape.layers, parameters, positions: shape.max_length() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let lengths = Lengths::new(vec![40, 10, 30, 20]);
        assert_eq!([0, 25, 26, 50, 100].map(|percent| lengths.percentile(percent)), [10, 10, 20, 20, 40]);
        assert_eq!((lengths.total(), lengths.longest()), (100, 40));
        assert_eq!((Lengths::default().percentile(50), Lengths::default().longest()), (0, 0));
    }

    #[test]
    fn windows_cover_every_piece() {
        let windows = |length| Lengths::new(vec![length]).windows(10, 4);
        assert_eq!([0, 1, 10, 11, 16, 17, 22].map(windows), [0, 1, 1, 2, 2, 3, 3]);
    }
}
