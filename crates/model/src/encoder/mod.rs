//! Encoders: the pre-trained part of a model, from piece ids to one vector a piece.
//!
//! The architectures differ in names, positions and a projection; what they compute is one [`Encoder`], written
//! once over [`engine::Tape`]. Each architecture's file says what its `config.json` means ([`Shape`]) and how its
//! tensors are called (`Names`).

mod bert;
mod block;
mod compare;
mod config;
mod distilbert;
mod electra;
mod load;
mod roberta;

pub use compare::Mismatch;
pub use config::{ConfigError, EncoderConfig};
pub use load::{Binding, LoadError, Part};

use engine::{Activation, Attention, Linear, Lookup, Norm, ParameterId, Tape, Tensor};

pub(crate) use load::Loader;

/// What an encoder computes, whatever its architecture is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Rows of the word embedding.
    pub vocabulary: usize,
    /// Rows of the position embedding.
    pub positions: usize,
    /// Position of a sequence's first piece (2 in `RoBERTa`, whose padding takes the ones before).
    pub first_position: usize,
    /// Rows of the token type embedding; 0 where there is none. Single texts use row 0.
    pub types: usize,
    /// Width of the embeddings; a projection follows where it is not the hidden width.
    pub embedding_width: usize,
    /// Width of the hidden states.
    pub width: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads of a layer.
    pub heads: usize,
    /// Width of the feed-forward block.
    pub inner_width: usize,
    /// Activation of the feed-forward block.
    pub activation: Activation,
    /// Epsilon of every layer norm.
    pub eps: f32,
    /// Dropout of embeddings and block outputs.
    pub dropout: f32,
    /// Dropout behind the attention's output map; `None` in `DistilBERT`, which has none there.
    pub attention_output_dropout: Option<f32>,
    /// Dropout of attention weights.
    pub attention_dropout: f32,
    /// Dropout before a classification head.
    pub head_dropout: f32,
}

impl Shape {
    /// Longest sequence in pieces, special tokens included.
    pub fn max_length(&self) -> usize {
        self.positions.saturating_sub(self.first_position)
    }

    /// Rows of the position embedding. Where the padding takes the first ones, a text that quotes it (`<pad>`) is
    /// numbered as in transformers: the quote gets the padding's row, and what follows does not count it.
    fn rows_of_positions(&self, ids: &[u32], positions: Vec<u32>) -> Vec<u32> {
        let first = self.first_position as u32;
        let Some(padding) = first.checked_sub(1) else { return positions };
        let mut quoted = 0;
        let row = |(id, position): (&u32, u32)| {
            if position == 0 {
                quoted = 0;
            }
            if *id == padding {
                quoted += 1;
                return padding;
            }
            first + position - quoted
        };
        ids.iter().zip(positions).map(row).collect()
    }

    /// The same shape with every dropout probability replaced.
    #[must_use]
    pub fn with_dropout(self, probability: f32) -> Self {
        Self {
            dropout: probability,
            attention_output_dropout: self.attention_output_dropout.map(|_| probability),
            attention_dropout: probability,
            head_dropout: probability,
            ..self
        }
    }
}

/// How an architecture calls its tensors, without the prefix that some checkpoints put before them.
pub(crate) struct Names {
    /// Such as `bert.`; checkpoints of the bare encoder leave it out.
    pub prefix: &'static str,
    pub words: &'static str,
    pub positions: &'static str,
    pub types: &'static str,
    pub embedding_norm: &'static str,
    pub projection: &'static str,
    /// Such as `encoder.layer.`; the layer's number and a dot follow.
    pub layer: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub attention_output: &'static str,
    pub attention_norm: &'static str,
    pub inner: &'static str,
    pub outer: &'static str,
    pub output_norm: &'static str,
}

/// An encoder whose weights lie in [`engine::Parameters`].
#[derive(Debug, Clone)]
pub struct Encoder {
    shape: Shape,
    words: ParameterId,
    positions: ParameterId,
    types: Option<ParameterId>,
    embedding_norm: Norm,
    projection: Option<Linear>,
    blocks: Vec<block::Block>,
}

impl Encoder {
    /// What it computes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The word embedding.
    pub fn words(&self) -> ParameterId {
        self.words
    }

    /// Replaces every dropout probability.
    pub fn set_dropout(&mut self, probability: f32) {
        self.shape = self.shape.clone().with_dropout(probability);
    }

    /// `[rows, width]`: the last hidden state of every piece, or `[wanted, width]`, of the rows that are wanted. `ids` are the
    /// pieces of the tape's sequences, end to end.
    ///
    /// # Panics
    /// There is not one id a row, an id lies outside the vocabulary, or a sequence is longer than
    /// [`Shape::max_length`]; tokenizing into windows never makes these.
    pub fn forward(&self, tape: &mut Tape<'_>, ids: &[u32], positions: Vec<u32>, wanted: Option<&[u32]>) -> Tensor {
        let shape = &self.shape;
        let positions = shape.rows_of_positions(ids, positions);
        let mut lookups =
            vec![Lookup { table: self.words, ids: ids.to_vec() }, Lookup { table: self.positions, ids: positions }];
        lookups.extend(self.types.map(|table| Lookup { table, ids: vec![0; ids.len()] }));
        let embedded = tape.embedding(lookups);
        let normed = tape.norm(embedded, self.embedding_norm);
        let mut hidden = tape.dropout(normed, shape.dropout);
        if let Some(projection) = self.projection {
            let projected = tape.linear(&hidden, projection);
            tape.release(hidden);
            hidden = projected;
        }
        let attention = Attention { heads: shape.heads, dropout: shape.attention_dropout };
        let last = self.blocks.len().saturating_sub(1);
        for (index, block) in self.blocks.iter().enumerate() {
            let wanted = wanted.filter(|_| index == last);
            hidden = block.forward(tape, hidden, attention, shape, wanted);
        }
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_padding_takes_its_own_position_and_none_from_the_text() {
        let config = serde_json::json!({ "model_type": "roberta", "pad_token_id": 1 });
        let (_, shape) = EncoderConfig::read(&config, std::path::Path::new("config.json")).unwrap();
        let rows = shape.rows_of_positions(&[0, 9, 1, 1, 8, 2, 0, 1, 2], vec![0, 1, 2, 3, 4, 5, 0, 1, 2]);
        assert_eq!(rows, [2, 3, 1, 1, 4, 5, 2, 1, 3]);
        let bert = Shape { first_position: 0, ..shape };
        assert_eq!(bert.rows_of_positions(&[0, 9, 1], vec![0, 1, 2]), [0, 1, 2]);
    }
}
