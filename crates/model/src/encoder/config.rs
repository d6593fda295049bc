//! `config.json` of the architectures that can be encoders.

use std::path::{Path, PathBuf};

use engine::Activation;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::{Names, Shape, bert, distilbert, electra, roberta};

/// The part of a `config.json` that describes the encoder, by its `model_type`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "model_type", rename_all = "kebab-case")]
pub enum EncoderConfig {
    /// BERT (Devlin et al., 2019), and MiniLM and others that share its shape.
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
        let parsed: Self = serde_json::from_value(config.clone()).map_err(|error| fail(error.to_string()))?;
        let shape = parsed.shape().map_err(&fail)?;
        check(&shape).map_err(fail)?;
        Ok((parsed, shape))
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

/// Sizes that the kernels rely on.
fn check(shape: &Shape) -> Result<(), String> {
    let sizes = [
        ("vocab_size", shape.vocabulary),
        ("the hidden width", shape.width),
        ("the embedding width", shape.embedding_width),
        ("the number of layers", shape.layers),
        ("the number of attention heads", shape.heads),
        ("the feed-forward width", shape.inner_width),
    ];
    for (name, size) in sizes {
        if size == 0 || size > 1 << 24 {
            return Err(format!("{name} is {size}"));
        }
    }
    if shape.width % shape.heads != 0 {
        return Err(format!(
            "the hidden width {} is not a multiple of the {} attention heads",
            shape.width, shape.heads
        ));
    }
    if shape.max_length() < 3 {
        return Err(format!("max_position_embeddings {} leaves no room for a text", shape.positions));
    }
    let probabilities = [shape.dropout, shape.attention_dropout, shape.attention_output_dropout, shape.head_dropout];
    if let Some(wrong) = probabilities.into_iter().find(|p| !(0.0..1.0).contains(p)) {
        return Err(format!("a dropout probability is {wrong}; it must be at least 0 and below 1"));
    }
    Ok(())
}

/// The activation that transformers calls `name`.
pub(crate) fn activation(name: &str) -> Result<Activation, String> {
    match name {
        "gelu" | "gelu_python" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        other => Err(format!("the activation is {other:?}; gelu, gelu_new and relu can be used")),
    }
}
