//! BERT, and `MiniLM` with it.

use serde::Deserialize;

use super::{Names, Shape, config::activation};

/// The fields of a BERT's `config.json`; transformers' defaults where one is missing.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the names are transformers' and mean what they mean there
pub struct Config {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub hidden_act: String,
    pub hidden_dropout_prob: f32,
    pub attention_probs_dropout_prob: f32,
    pub classifier_dropout: Option<f32>,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".to_owned(),
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            classifier_dropout: None,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
        }
    }
}

impl Config {
    pub(super) fn shape(&self) -> Result<Shape, String> {
        Ok(Shape {
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            first_position: 0,
            types: self.type_vocab_size,
            embedding_width: self.hidden_size,
            width: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            inner_width: self.intermediate_size,
            activation: activation(&self.hidden_act)?,
            eps: self.layer_norm_eps,
            dropout: self.hidden_dropout_prob,
            attention_output_dropout: Some(self.hidden_dropout_prob),
            attention_dropout: self.attention_probs_dropout_prob,
            head_dropout: self.classifier_dropout.unwrap_or(self.hidden_dropout_prob),
        })
    }
}

pub(super) const NAMES: Names = Names {
    prefix: "bert.",
    words: "embeddings.word_embeddings",
    positions: "embeddings.position_embeddings",
    types: "embeddings.token_type_embeddings",
    embedding_norm: "embeddings.LayerNorm",
    projection: "embeddings_project",
    layer: "encoder.layer.",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    inner: "intermediate.dense",
    outer: "output.dense",
    output_norm: "output.LayerNorm",
};
