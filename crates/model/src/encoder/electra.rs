//! ELECTRA's discriminator: BERT's shape, with a projection where the embeddings are narrower.

use serde::Deserialize;

use super::{Names, Shape, bert};

/// The fields of an ELECTRA's `config.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Width of the embeddings.
    #[serde(default = "embedding_size")]
    pub embedding_size: usize,
    /// Everything else is BERT's.
    #[serde(flatten)]
    pub bert: bert::Config,
}

fn embedding_size() -> usize {
    128
}

impl Config {
    pub(super) fn shape(&self) -> Result<Shape, String> {
        Ok(Shape { embedding_width: self.embedding_size, ..self.bert.shape()? })
    }
}

pub(super) const NAMES: Names = Names { prefix: "electra.", ..bert::NAMES };
