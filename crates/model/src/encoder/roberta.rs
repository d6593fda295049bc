//! `RoBERTa`, XLM-R and `CamemBERT`: BERT's shape, with positions counted from behind the padding's.

use serde::Deserialize;

use super::{Names, Shape, bert};

/// The fields of a `RoBERTa`'s `config.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Id of the padding piece; positions start one behind it.
    #[serde(default = "padding")]
    pub pad_token_id: usize,
    /// Everything else is BERT's.
    #[serde(flatten)]
    pub bert: bert::Config,
}

fn padding() -> usize {
    1
}

impl Config {
    pub(super) fn shape(&self) -> Result<Shape, String> {
        Ok(Shape { first_position: self.pad_token_id.saturating_add(1), ..self.bert.shape()? })
    }
}

pub(super) const NAMES: Names = Names { prefix: "roberta.", ..bert::NAMES };
