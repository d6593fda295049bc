//! `config.json` of the architectures that can be encoders.

use std::path::{Path, PathBuf};

use engine::Activation;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::{Names, Shape, bert, distilbert, electra, roberta};

/// The part of a `config.json` that describes the encoder, by its `model_type`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "model_type", rename_all = "kebab-case")]
pub enum EncoderConfig {
    /// BERT (Devlin et al., 2019), and `MiniLM` and others that share its shape.
    Bert(bert::Config),
    /// `RoBERTa` (Liu et al., 2019).
    Roberta(roberta::Config),
    /// XLM-R (Conneau et al., 2020).
    XlmRoberta(roberta::Config),
    /// `CamemBERT` (Martin et al., 2020).
    Camembert(roberta::Config),
    /// `DistilBERT` (Sanh et al., 2019).
    Distilbert(distilbert::Config),
    /// ELECTRA's discriminator (Clark et al., 2020).
    Electra(electra::Config),
}

/// Why a `config.json` does not describe an encoder that can be run.
#[derive(Debug, Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    path: PathBuf,
    problem: String,
}

/// What `model_type` may say.
const KNOWN: [&str; 6] = ["bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra"];

/// Largest side of a tensor: products of two stay far from overflow.
const LARGEST: usize = 1 << 24;

/// Most layers.
const DEEPEST: usize = 1000;

impl EncoderConfig {
    /// Reads the description; `path` is named in errors.
    ///
    /// # Errors
    /// The architecture is not among those that can be run, a field is missing or malformed, or it asks for
    /// something that no encoder here computes.
    pub fn read(config: &Value, path: &Path) -> Result<(Self, Shape), ConfigError> {
        let fail = |problem: String| ConfigError { path: path.to_owned(), problem };
        let model_type = config.get("model_type").and_then(Value::as_str).unwrap_or("nothing");
        if !KNOWN.contains(&model_type) {
            let known = KNOWN.join(", ");
            return Err(fail(format!("model_type is {model_type:?}; encoders that can be used are {known}")));
        }
        if config.get("is_decoder").and_then(Value::as_bool) == Some(true) {
            return Err(fail("is_decoder is true; only encoders, which attend both ways, can be used".to_owned()));
        }
        if let Some(kind) = config.get("position_embedding_type").and_then(Value::as_str)
            && kind != "absolute"
        {
            return Err(fail(format!("position_embedding_type is {kind:?}; only \"absolute\" can be used")));
        }
        let parsed: Self = serde_json::from_value(config.clone())
            .map_err(|error| fail(unreadable_field(config, model_type).unwrap_or_else(|| error.to_string())))?;
        let shape = parsed.shape().map_err(|problem| fail(format!("{}: {problem}", parsed.field("hidden_act"))))?;
        let problems = parsed.problems(&shape);
        if problems.is_empty() { Ok((parsed, shape)) } else { Err(fail(problems.join("\n  "))) }
    }

    fn shape(&self) -> Result<Shape, String> {
        match self {
            Self::Bert(config) => config.shape(),
            Self::Roberta(config) | Self::XlmRoberta(config) | Self::Camembert(config) => config.shape(),
            Self::Distilbert(config) => config.shape(),
            Self::Electra(config) => config.shape(),
        }
    }

    pub(crate) fn names(&self) -> &'static Names {
        match self {
            Self::Bert(_) => &bert::NAMES,
            Self::Roberta(_) | Self::XlmRoberta(_) | Self::Camembert(_) => &roberta::NAMES,
            Self::Distilbert(_) => &distilbert::NAMES,
            Self::Electra(_) => &electra::NAMES,
        }
    }

    /// The name in this architecture's `config.json` of a field of BERT's.
    pub(crate) fn field(&self, bert: &'static str) -> &'static str {
        match self {
            Self::Distilbert(_) => distilbert::field(bert),
            _ => bert,
        }
    }

    /// What keeps an encoder of this shape from being computed.
    fn problems(&self, shape: &Shape) -> Vec<String> {
        let mut problems = Vec::new();
        let [width, layers, heads, inner_width] =
            ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"]
                .map(|field| self.field(field));
        let sizes = [
            ("vocab_size", shape.vocabulary, 1, LARGEST),
            (width, shape.width, 1, LARGEST),
            (layers, shape.layers, 1, DEEPEST),
            (heads, shape.heads, 1, LARGEST),
            (inner_width, shape.inner_width, 1, LARGEST),
            ("max_position_embeddings", shape.positions, shape.first_position.saturating_add(3), LARGEST),
            ("type_vocab_size", shape.types, 0, LARGEST),
        ];
        let embedding =
            (shape.embedding_width != shape.width).then_some(("embedding_size", shape.embedding_width, 1, LARGEST));
        for (field, size, smallest, largest) in sizes.into_iter().chain(embedding) {
            if !(smallest..=largest).contains(&size) {
                problems.push(format!("{field} is {size}, expected {smallest} to {largest}"));
            }
        }
        if shape.heads > 0 && !shape.width.is_multiple_of(shape.heads) {
            problems.push(format!(
                "{width} is {}, which is not a multiple of {heads}, {}; expected one",
                shape.width, shape.heads
            ));
        }
        let probabilities = [
            (self.field("hidden_dropout_prob"), shape.dropout),
            (self.field("attention_probs_dropout_prob"), shape.attention_dropout),
            ("classifier_dropout", shape.head_dropout),
        ];
        for (field, probability) in probabilities {
            if !(0.0..1.0).contains(&probability) {
                problems.push(format!("{field} is {probability}, expected at least 0 and below 1"));
            }
        }
        if !(0.0..1.0).contains(&shape.eps) {
            problems.push(format!("layer_norm_eps is {}, expected a small positive number", shape.eps));
        }
        problems
    }

    /// transformers' class for token classification with this encoder.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Bert(_) => "BertForTokenClassification",
            Self::Roberta(_) => "RobertaForTokenClassification",
            Self::XlmRoberta(_) => "XLMRobertaForTokenClassification",
            Self::Camembert(_) => "CamembertForTokenClassification",
            Self::Distilbert(_) => "DistilBertForTokenClassification",
            Self::Electra(_) => "ElectraForTokenClassification",
        }
    }
}

/// The field that cannot be read, and why: the message for a tagged type does not name it. Every field has a default,
/// so each can be tried alone.
fn unreadable_field(config: &Value, model_type: &str) -> Option<String> {
    config.as_object()?.iter().find_map(|(field, value)| {
        let alone = json!({ "model_type": model_type, (field): value });
        let error = serde_json::from_value::<EncoderConfig>(alone).err()?;
        Some(format!("{field}: {error}"))
    })
}

/// The activation that transformers calls `name`.
pub(crate) fn activation(name: &str) -> Result<Activation, String> {
    match name {
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        other => Err(format!("{other:?} is none of the activations that can be used: gelu, gelu_new, relu")),
    }
}
