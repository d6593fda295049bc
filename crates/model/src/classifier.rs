//! A token classifier: an encoder and a head with one output a tag.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use engine::{Linear, ParameterId, Parameters, Precision, Tape, Tensor};
use serde_json::Value;

use crate::{
    encoder::{Binding, ConfigError, Encoder, EncoderConfig, LoadError, Loader, Part, Shape},
    weights::{Weights, WeightsError},
};

/// Encoder, head and their weights.
pub struct TokenClassifier {
    config: EncoderConfig,
    encoder: Encoder,
    head: Linear,
    parameters: Parameters,
    bindings: Vec<Binding>,
    stored: Precision,
}

/// Where the head comes from.
#[derive(Debug, Clone, Copy)]
pub enum Head {
    /// The checkpoint has it, with a row for every tag.
    Stored {
        /// Number of tags.
        tags: usize,
    },
    /// It is new, with random weights.
    Fresh {
        /// Number of tags.
        tags: usize,
        /// Seed of the random weights.
        seed: u64,
    },
}

/// Why a classifier could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration is none that can be run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The weights do not fit the configuration.
    #[error("{path}: {error}")]
    Load {
        /// The model folder.
        path: PathBuf,
        /// What does not fit.
        error: Box<LoadError>,
    },
}

impl TokenClassifier {
    /// Loads a model folder whose `config.json` has been read into `config`.
    ///
    /// # Errors
    /// The architecture is unknown, or weights and configuration disagree.
    pub fn open(folder: &Path, config: &Value, head: Head) -> Result<Self, OpenError> {
        let (encoder_config, shape) = EncoderConfig::read(config, &folder.join("config.json"))?;
        let weights = Weights::open(folder)?;
        let deviation = config.get("initializer_range").and_then(Value::as_f64).unwrap_or(0.02);
        Self::load(&weights, encoder_config, &shape, head, deviation)
            .map_err(|error| OpenError::Load { path: folder.to_owned(), error: Box::new(error) })
    }

    fn load(
        weights: &Weights,
        config: EncoderConfig,
        shape: &Shape,
        head: Head,
        deviation: f64,
    ) -> Result<Self, LoadError> {
        let seed = if let Head::Fresh { seed, .. } = head { seed } else { 0 };
        let mut loader = Loader::new(weights, config.names().prefix, seed);
        let encoder = loader.encoder(&config, shape)?;
        let head = match head {
            Head::Stored { tags } => loader.stored_head(tags, shape.width)?,
            Head::Fresh { tags, .. } => loader.fresh_head(tags, shape.width, deviation)?,
        };
        let (parameters, bindings) = loader.finish()?;
        let stored = if weights.are_quantized() { Precision::Int8 } else { Precision::F32 };
        Ok(Self { config, encoder, head, parameters, bindings, stored })
    }

    /// What the encoder computes.
    pub fn shape(&self) -> &Shape {
        self.encoder.shape()
    }

    /// The architecture.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The number format of the stored weights, and so the one to run them in where nobody asks for another.
    pub fn stored(&self) -> Precision {
        self.stored
    }

    /// The word embedding, of which a batch touches few rows.
    pub fn words(&self) -> ParameterId {
        self.encoder.words()
    }

    /// The weights.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The weights, to train them.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Where every tensor of a checkpoint lives, in the order of the parameters.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The parameters, each once, with their part of the model.
    pub fn parts(&self) -> impl Iterator<Item = (ParameterId, Part)> {
        let runs = self.bindings.chunk_by(|a, b| a.parameter == b.parameter);
        runs.map(|run| (run[0].parameter, run[0].part))
    }

    /// How many layers lie between a parameter and the head: 0 for the head and the last layer, as many as there are for the
    /// embeddings.
    pub fn depths(&self) -> BTreeMap<ParameterId, usize> {
        let layers = self.shape().layers;
        let depth = |part| match part {
            Part::Head => 0,
            Part::Layer(layer) => layers - 1 - layer,
            Part::Embeddings => layers,
        };
        self.parts().map(|(id, part)| (id, depth(part))).collect()
    }

    /// Replaces every dropout probability of the architecture.
    pub fn set_dropout(&mut self, probability: f32) {
        self.encoder.set_dropout(probability);
    }

    /// Takes over rows of another classifier's head: for each of its own tags the other's, `None` for one that stays as it is.
    ///
    /// # Panics
    /// The encoders differ in width.
    pub(crate) fn take_head_rows(&mut self, other: &Self, rows: &[Option<u32>]) {
        let pairs = [(self.head.weight, other.head.weight), (self.head.bias, other.head.bias)];
        for (mine, theirs) in pairs {
            let (mine, theirs) = (self.parameters.get_mut(mine), other.parameters.get(theirs));
            // A bias is one row of many floats, a weight many rows.
            let width = mine.values.len() / rows.len();
            assert_eq!(width * other.tags(), theirs.values.len(), "heads on encoders of one width");
            for (target, row) in mine.values.chunks_exact_mut(width).zip(rows) {
                if let Some(row) = row {
                    target.copy_from_slice(&theirs.values[*row as usize * width..][..width]);
                }
            }
        }
    }

    /// Moves every weight that another classifier has as well to a point between both: `share` of its own, the rest of the
    /// other's. `rows` says for each of its own tags which is the other's.
    ///
    /// # Panics
    /// The encoders differ.
    pub(crate) fn average(&mut self, other: &Self, rows: &[Option<u32>], share: f32) {
        let heads = [self.head.weight, self.head.bias];
        let mix = |mine: &mut [f32], theirs: &[f32]| {
            assert_eq!(mine.len(), theirs.len(), "weights of one encoder");
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = *mine * share + theirs * (1.0 - share);
            }
        };
        let ids: Vec<ParameterId> = self.parts().map(|(id, _)| id).filter(|id| !heads.contains(id)).collect();
        for id in ids {
            mix(&mut self.parameters.get_mut(id).values, &other.parameters.get(id).values);
        }
        for (mine, theirs) in heads.into_iter().zip([other.head.weight, other.head.bias]) {
            let (mine, theirs) = (self.parameters.get_mut(mine), other.parameters.get(theirs));
            let width = mine.values.len() / rows.len();
            for (mine, row) in mine.values.chunks_exact_mut(width).zip(rows) {
                if let Some(row) = row {
                    mix(mine, &theirs.values[*row as usize * width..][..width]);
                }
            }
        }
    }

    /// Raises the bias of the tags that are meant.
    pub(crate) fn raise(&mut self, is_meant: impl Fn(u32) -> bool, by: f32) {
        let bias = &mut self.parameters.get_mut(self.head.bias).values;
        for (_, bias) in (0..).zip(bias.iter_mut()).filter(|(tag, _)| is_meant(*tag)) {
            *bias += by;
        }
    }

    /// Number of tags.
    fn tags(&self) -> usize {
        self.parameters.get(self.head.bias).values.len()
    }

    /// Keeps the embeddings, the first `layers` layers, or both from being trained.
    pub fn freeze(&mut self, embeddings: bool, layers: usize) {
        for binding in &self.bindings {
            let frozen = match binding.part {
                Part::Embeddings => embeddings,
                Part::Layer(layer) => layer < layers,
                Part::Head => false,
            };
            if frozen {
                self.parameters.get_mut(binding.parameter).trainable = false;
            }
        }
    }

    /// `[rows, tags]`: logits of every piece of the tape's sequences, or `[wanted, tags]`, of the rows that are wanted; `ids`
    /// are the pieces, end to end, and `positions` each one's place in its sequence.
    pub fn forward(&self, tape: &mut Tape<'_>, ids: &[u32], positions: Vec<u32>, wanted: Option<&[u32]>) -> Tensor {
        let hidden = self.encoder.forward(tape, ids, positions, wanted);
        let dropped = tape.dropout(hidden, self.encoder.shape().head_dropout);
        let logits = tape.linear(&dropped, self.head);
        tape.release(dropped);
        logits
    }

    /// The last hidden state instead of the logits, `[rows, width]`.
    pub fn hidden(&self, tape: &mut Tape<'_>, ids: &[u32], positions: Vec<u32>) -> Tensor {
        self.encoder.forward(tape, ids, positions, None)
    }

    /// Every tensor by its name in a checkpoint, with shape and contents.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.bindings.iter().map(|binding| {
            let values = &self.parameters.get(binding.parameter).values[binding.range.clone()];
            (binding.name.as_str(), binding.shape.as_slice(), values)
        })
    }
}
