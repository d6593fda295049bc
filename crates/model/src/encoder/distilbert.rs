//! `DistilBERT`: BERT's layers without token types, under names of its own.

use serde::Deserialize;

use super::{Names, Shape, config::activation};

/// The fields of a `DistilBERT`'s `config.json`; transformers' defaults where one is missing.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the names are transformers' and mean what they mean there
pub struct Config {
    pub vocab_size: usize,
    pub max_position_embeddings: usize,
    pub n_layers: usize,
    pub n_heads: usize,
    pub dim: usize,
    pub hidden_dim: usize,
    pub dropout: f32,
    pub attention_dropout: f32,
    pub activation: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            max_position_embeddings: 512,
            n_layers: 6,
            n_heads: 12,
            dim: 768,
            hidden_dim: 3072,
            dropout: 0.1,
            attention_dropout: 0.1,
            activation: "gelu".to_owned(),
        }
    }
}

impl Config {
    pub(super) fn shape(&self) -> Result<Shape, String> {
        Ok(Shape {
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            first_position: 0,
            types: 0,
            embedding_width: self.dim,
            width: self.dim,
            layers: self.n_layers,
            heads: self.n_heads,
            inner_width: self.hidden_dim,
            activation: activation(&self.activation)?,
            eps: 1e-12,
            dropout: self.dropout,
            attention_output_dropout: None,
            attention_dropout: self.attention_dropout,
            head_dropout: self.dropout,
        })
    }
}

/// What a field of BERT's is called here.
pub(super) fn field(bert: &'static str) -> &'static str {
    match bert {
        "hidden_size" => "dim",
        "num_hidden_layers" => "n_layers",
        "num_attention_heads" => "n_heads",
        "intermediate_size" => "hidden_dim",
        "hidden_act" => "activation",
        "hidden_dropout_prob" => "dropout",
        "attention_probs_dropout_prob" => "attention_dropout",
        other => other,
    }
}

pub(super) const NAMES: Names = Names {
    prefix: "distilbert.",
    words: "embeddings.word_embeddings",
    positions: "embeddings.position_embeddings",
    types: "embeddings.token_type_embeddings",
    embedding_norm: "embeddings.LayerNorm",
    projection: "embeddings_project",
    layer: "transformer.layer.",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    inner: "ffn.lin1",
    outer: "ffn.lin2",
    output_norm: "output_layer_norm",
};
