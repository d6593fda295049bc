//! Where `config.json` and the weights disagree.

use std::{collections::HashSet, fmt};

use super::{Binding, EncoderConfig, Shape};
use crate::weights::{TensorInfo, Weights};

/// One thing that `config.json` and the weights say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// A number of `config.json` that the weights contradict.
    Field {
        /// The field.
        field: &'static str,
        /// The number in `config.json`.
        expected: usize,
        /// The number that the weights have.
        found: usize,
    },
    /// A tensor that the configuration asks for is not there.
    Missing {
        /// The tensor.
        tensor: String,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor has another shape.
    Shape {
        /// The tensor.
        tensor: String,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
        /// The shape that it has.
        found: Vec<usize>,
    },
    /// The encoder in the weights has a tensor that the configuration does not ask for, so it is another encoder.
    Unexpected {
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { field, expected, found } => {
                write!(f, "{field}: expected {expected} as in config.json, found {found} in the weights")
            }
            Self::Missing { tensor, expected } => write!(f, "{tensor}: expected {expected:?}, found no such tensor"),
            Self::Shape { tensor, expected, found } => write!(f, "{tensor}: expected {expected:?}, found {found:?}"),
            Self::Unexpected { tensor, found } => {
                write!(f, "{tensor}: expected no such tensor in this encoder, found {found:?}")
            }
        }
    }
}

/// Reads names as this checkpoint spells them.
pub(super) struct Spelling<'w> {
    weights: &'w Weights,
    prefix: &'static str,
}

impl<'w> Spelling<'w> {
    pub fn new(weights: &'w Weights, prefix: &'static str) -> Self {
        Self { weights, prefix }
    }

    /// The tensor under whichever of its names the checkpoint has: with and without the architecture's prefix, and
    /// with the names that TensorFlow's layer norm gave its parameters.
    pub fn find(&self, name: &str) -> Option<TensorInfo<'w>> {
        let bare = name.strip_prefix(self.prefix).unwrap_or(name);
        let old = [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")]
            .into_iter()
            .find_map(|(new, old)| Some(format!("{}{old}", bare.strip_suffix(new)?)));
        [Some(bare), old.as_deref()]
            .into_iter()
            .flatten()
            .find_map(|bare| self.weights.get(&format!("{}{bare}", self.prefix)).or_else(|| self.weights.get(bare)))
    }

    /// The encoder's tensors by their names without prefix, and the names as they stand in the file.
    fn encoder(&self) -> impl Iterator<Item = (String, TensorInfo<'w>)> {
        let prefixed = self.weights.tensors().any(|tensor| tensor.name.starts_with(self.prefix));
        self.weights.tensors().filter_map(move |tensor| {
            let bare = if prefixed { tensor.name.strip_prefix(self.prefix)? } else { tensor.name };
            let new = bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias");
            Some((new, tensor))
        })
    }
}

/// The numbers of `config.json` that the weights contradict.
pub(super) fn fields(spelling: &Spelling<'_>, config: &EncoderConfig, shape: &Shape) -> Vec<Mismatch> {
    let names = config.names();
    let side = |name: String, dimension: usize| {
        spelling.find(&format!("{name}.weight")).and_then(|tensor| tensor.shape.get(dimension).copied())
    };
    let layers = spelling.encoder().filter_map(|(name, _)| {
        let number = name.strip_prefix(names.layer)?.split('.').next()?;
        number.parse::<usize>().ok()
    });
    let layers = layers.max().map(|last| last.saturating_add(1));
    let hidden = side(format!("{}0.{}", names.layer, names.query), 1);
    let embedding = side(names.words.to_owned(), 1);
    let embedding_field = if shape.embedding_width == shape.width { "hidden_size" } else { "embedding_size" };
    let found = [
        ("vocab_size", shape.vocabulary, side(names.words.to_owned(), 0)),
        (embedding_field, shape.embedding_width, embedding),
        ("hidden_size", shape.width, hidden),
        ("num_hidden_layers", shape.layers, layers),
        ("intermediate_size", shape.inner_width, side(format!("{}0.{}", names.layer, names.inner), 0)),
        ("max_position_embeddings", shape.positions, side(names.positions.to_owned(), 0)),
        ("type_vocab_size", shape.types, if shape.types == 0 { None } else { side(names.types.to_owned(), 0) }),
    ];
    let mut mismatches: Vec<Mismatch> = found
        .into_iter()
        .filter_map(|(field, expected, found)| {
            let found = found.filter(|found| *found != expected)?;
            Some(Mismatch::Field { field: config.field(field), expected, found })
        })
        .collect();
    mismatches.dedup();
    mismatches
}

/// The encoder's tensors in the weights that no parameter was made from. Heads, poolers and whatever else stands
/// beside the encoder are other tasks' and no matter.
pub(super) fn unexpected(spelling: &Spelling<'_>, config: &EncoderConfig, bindings: &[Binding]) -> Vec<Mismatch> {
    let names = config.names();
    let known: HashSet<&str> =
        bindings.iter().map(|binding| binding.name.strip_prefix(names.prefix).unwrap_or(&binding.name)).collect();
    let stack = names.layer.split('.').next().unwrap_or_default();
    let is_encoder = |name: &str| {
        let top = name.split('.').next().unwrap_or_default();
        top == "embeddings" || top == stack || top == names.projection
    };
    // Constants that older versions of transformers stored.
    let is_constant = |name: &str| matches!(name, "embeddings.position_ids" | "embeddings.token_type_ids");
    spelling
        .encoder()
        .filter(|(name, _)| is_encoder(name) && !is_constant(name) && !known.contains(name.as_str()))
        .map(|(_, tensor)| Mismatch::Unexpected { tensor: tensor.name.to_owned(), found: tensor.shape.to_vec() })
        .collect()
}
