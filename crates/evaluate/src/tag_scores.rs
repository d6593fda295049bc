//! Scores of tag sequences.

use std::collections::HashSet;

use schema::tags::{Chunk, Tag};
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::Scores;

/// Chunk scores of tag sequences with the accuracy of their tags. Serialized with seqeval's keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagScores {
    /// Precision, recall and F1 of the chunks, over all and by label.
    pub scores: Scores,
    /// Share of the tokens whose two tags are equal, prefix and all; 0 without tokens.
    pub accuracy: f64,
}

/// Gold and predicted tags do not belong to the same tokens.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LengthError {
    /// There are more sequences on one side.
    #[error("{gold} gold sequences, but {predicted} predicted ones")]
    Sequences {
        /// Number of gold sequences.
        gold: usize,
        /// Number of predicted sequences.
        predicted: usize,
    },
    /// One sequence has more tags on one side.
    #[error("sequence {sequence}: {gold} gold tags, but {predicted} predicted ones")]
    Tags {
        /// Position of the sequence.
        sequence: usize,
        /// Number of its gold tags.
        gold: usize,
        /// Number of its predicted tags.
        predicted: usize,
    },
}

impl TagScores {
    /// Scores the chunks that `read` understands in each pair of sequences.
    pub(crate) fn of<E: From<LengthError>>(
        gold: &[Vec<Tag>],
        predicted: &[Vec<Tag>],
        mut read: impl FnMut(usize, &[Tag]) -> Result<Vec<Chunk>, E>,
    ) -> Result<Self, E> {
        if gold.len() != predicted.len() {
            return Err(LengthError::Sequences { gold: gold.len(), predicted: predicted.len() }.into());
        }
        let (mut scores, mut equal, mut tokens) = (Scores::default(), 0usize, 0usize);
        for (sequence, (gold, predicted)) in gold.iter().zip(predicted).enumerate() {
            if gold.len() != predicted.len() {
                return Err(LengthError::Tags { sequence, gold: gold.len(), predicted: predicted.len() }.into());
            }
            tokens += gold.len();
            equal += gold.iter().zip(predicted).filter(|(gold, predicted)| gold == predicted).count();
            add(&mut scores, &read(sequence, gold)?, &read(sequence, predicted)?);
        }
        let accuracy = if tokens == 0 { 0.0 } else { equal as f64 / tokens as f64 };
        Ok(Self { scores, accuracy })
    }
}

/// Takes the chunks of one sequence into account; no side has a chunk twice.
fn add(scores: &mut Scores, gold: &[Chunk], predicted: &[Chunk]) {
    let known: HashSet<&Chunk> = gold.iter().collect();
    for chunk in gold {
        scores.label_mut(&chunk.label).gold += 1;
    }
    for chunk in predicted {
        let counts = scores.label_mut(&chunk.label);
        counts.predicted += 1;
        counts.correct += usize::from(known.contains(chunk));
    }
}

impl Serialize for TagScores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.scores.with_seqeval_keys(Some(self.accuracy)).serialize(serializer)
    }
}
