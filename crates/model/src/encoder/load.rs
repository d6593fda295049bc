//! From tensors by name to parameters by number.

use std::ops::Range;

use engine::{Buffer, Linear, Norm, Parameter, ParameterId, Parameters, Random};
use thiserror::Error;

use super::{
    Encoder, EncoderConfig, Shape,
    block::Block,
    compare::{self, Mismatch, Spelling},
};
use crate::weights::{Weights, WeightsError};

/// Which part of a model a parameter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Embeddings, their norm and projection.
    Embeddings,
    /// A layer, counted from the input.
    Layer(usize),
    /// The classification head.
    Head,
}

/// Where a tensor of the checkpoint lives: some rows of a parameter. Queries, keys and values share one.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Name as transformers writes it today.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// The parameter.
    pub parameter: ParameterId,
    /// Its floats that are this tensor's.
    pub range: Range<usize>,
    /// The part of the model.
    pub part: Part,
}

/// Why an encoder could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Configuration and weights disagree; everything that differs is listed.
    #[error("the weights do not fit config.json:\n  {}", list(.0))]
    Mismatch(Vec<Mismatch>),
    /// A tensor could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

fn list(mismatches: &[Mismatch]) -> String {
    let mut lines: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
    if lines.len() > 20 {
        let rest = lines.len() - 20;
        lines.truncate(20);
        lines.push(format!("and {rest} more"));
    }
    lines.join("\n  ")
}

/// What a parameter starts from.
enum Start {
    /// The checkpoint's tensors of these names, below each other.
    Stored(Vec<String>),
    /// Normal numbers with this standard deviation.
    Normal(f64),
    Zeros,
}

/// Builds parameters from a checkpoint and remembers which tensor went where.
pub(crate) struct Loader<'w> {
    weights: &'w Weights,
    spelling: Spelling<'w>,
    /// Before the names of the encoder's tensors.
    prefix: &'static str,
    random: Random,
    pub parameters: Parameters,
    pub bindings: Vec<Binding>,
    mismatches: Vec<Mismatch>,
}

impl<'w> Loader<'w> {
    pub fn new(weights: &'w Weights, prefix: &'static str, seed: u64) -> Self {
        Self {
            weights,
            spelling: Spelling::new(weights, prefix),
            prefix,
            random: Random::new(seed),
            parameters: Parameters::default(),
            bindings: Vec::new(),
            mismatches: Vec::new(),
        }
    }

    /// Loads the encoder of an architecture.
    pub fn encoder(&mut self, config: &EncoderConfig, shape: &Shape) -> Result<Encoder, LoadError> {
        let names = config.names();
        self.mismatches.extend(compare::fields(&self.spelling, config, shape));
        let part = Part::Embeddings;
        let (width, embedding_width) = (shape.width, shape.embedding_width);
        let words = self.table(names.words, [shape.vocabulary, embedding_width], true)?;
        let positions = self.table(names.positions, [shape.positions, embedding_width], false)?;
        let types = match shape.types {
            0 => None,
            types => Some(self.table(names.types, [types, embedding_width], false)?),
        };
        let embedding_norm = self.norm(names.embedding_norm, embedding_width, shape.eps, part)?;
        let projection = if embedding_width == width {
            None
        } else {
            Some(self.linear(&[names.projection.to_owned()], [width, embedding_width], part)?)
        };
        let mut blocks = Vec::with_capacity(shape.layers);
        for layer in 0..shape.layers {
            let name = |tail: &str| format!("{}{layer}.{tail}", names.layer);
            let part = Part::Layer(layer);
            blocks.push(Block {
                qkv: self.linear(&[names.query, names.key, names.value].map(&name), [width, width], part)?,
                attention_output: self.linear(&[name(names.attention_output)], [width, width], part)?,
                attention_norm: self.norm(&name(names.attention_norm), width, shape.eps, part)?,
                inner: self.linear(&[name(names.inner)], [shape.inner_width, width], part)?,
                outer: self.linear(&[name(names.outer)], [width, shape.inner_width], part)?,
                output_norm: self.norm(&name(names.output_norm), width, shape.eps, part)?,
            });
        }
        self.mismatches.extend(compare::unexpected(&self.spelling, config, &self.bindings));
        Ok(Encoder { shape: shape.clone(), words, positions, types, embedding_norm, projection, blocks })
    }

    /// The stored head `classifier`, which must have a row a tag.
    pub fn stored_head(&mut self, tags: usize, width: usize) -> Result<Linear, LoadError> {
        self.prefix = "";
        let rows = self.spelling.find("classifier.weight").and_then(|tensor| tensor.shape.first().copied());
        if let Some(found) = rows.filter(|rows| *rows != tags) {
            self.mismatches.push(Mismatch::Field { field: "id2label", expected: tags, found });
        }
        self.linear(&["classifier".to_owned()], [tags, width], Part::Head)
    }

    /// A new head, as transformers makes it: normal weights, zero bias.
    pub fn fresh_head(&mut self, tags: usize, width: usize, deviation: f64) -> Result<Linear, LoadError> {
        self.prefix = "";
        let names = ["classifier.weight".to_owned(), "classifier.bias".to_owned()];
        let [weight, bias] = &names;
        Ok(Linear {
            weight: self.parameter(
                std::slice::from_ref(weight),
                &[tags, width],
                Start::Normal(deviation),
                Part::Head,
                true,
            )?,
            bias: self.parameter(std::slice::from_ref(bias), &[tags], Start::Zeros, Part::Head, false)?,
        })
    }

    /// The end of loading.
    ///
    /// # Errors
    /// Some tensors were missing or of another shape.
    pub fn finish(self) -> Result<(Parameters, Vec<Binding>), LoadError> {
        if self.mismatches.is_empty() {
            Ok((self.parameters, self.bindings))
        } else {
            Err(LoadError::Mismatch(self.mismatches))
        }
    }

    fn table(&mut self, name: &str, shape: [usize; 2], sparse: bool) -> Result<ParameterId, LoadError> {
        let names = [format!("{}{name}.weight", self.prefix)];
        let id = self.parameter(&names, &shape, Start::Stored(names.to_vec()), Part::Embeddings, true)?;
        self.parameters.get_mut(id).sparse = sparse;
        Ok(id)
    }

    /// Affine maps below each other, as one.
    fn linear(&mut self, names: &[String], shape: [usize; 2], part: Part) -> Result<Linear, LoadError> {
        let full =
            |tail: &str| -> Vec<String> { names.iter().map(|name| format!("{}{name}.{tail}", self.prefix)).collect() };
        let (weights, biases) = (full("weight"), full("bias"));
        Ok(Linear {
            weight: self.parameter(&weights, &shape, Start::Stored(weights.clone()), part, true)?,
            bias: self.parameter(&biases, &shape[..1], Start::Stored(biases.clone()), part, false)?,
        })
    }

    fn norm(&mut self, name: &str, width: usize, eps: f32, part: Part) -> Result<Norm, LoadError> {
        let [gamma, beta] = ["weight", "bias"].map(|tail| [format!("{}{name}.{tail}", self.prefix)]);
        Ok(Norm {
            gamma: self.parameter(&gamma, &[width], Start::Stored(gamma.to_vec()), part, false)?,
            beta: self.parameter(&beta, &[width], Start::Stored(beta.to_vec()), part, false)?,
            eps,
        })
    }

    /// A parameter made of tensors of one shape below each other.
    fn parameter(
        &mut self,
        names: &[String],
        shape: &[usize],
        start: Start,
        part: Part,
        decays: bool,
    ) -> Result<ParameterId, LoadError> {
        let fits = match &start {
            Start::Stored(names) => self.fits(names, shape),
            Start::Normal(_) | Start::Zeros => self.mismatches.is_empty(),
        };
        // No memory for sizes that only the configuration claims.
        let len = if fits { shape.iter().product() } else { 0 };
        let values = match start {
            Start::Stored(names) if fits => self.stored(&names, shape)?,
            Start::Normal(deviation) => {
                let mut values = Buffer::zeros(len * names.len());
                values.fill_with(|| (self.random.normal() * deviation) as f32);
                values
            }
            Start::Stored(_) | Start::Zeros => Buffer::zeros(len * names.len()),
        };
        let (rows, width) = match shape {
            [_, width] => (values.len() / width, *width),
            _ => (1, values.len()),
        };
        let name = names[0].clone();
        let id = self.parameters.add(Parameter { name, rows, width, values, decays, trainable: true, sparse: false });
        for (index, name) in names.iter().enumerate() {
            let range = index * len..(index + 1) * len;
            self.bindings.push(Binding { name: name.clone(), shape: shape.to_vec(), parameter: id, range, part });
        }
        Ok(id)
    }

    /// Whether the checkpoint has all of these tensors in this shape; what it has instead is remembered.
    fn fits(&mut self, names: &[String], shape: &[usize]) -> bool {
        let before = self.mismatches.len();
        for name in names {
            let (tensor, expected) = (name.clone(), shape.to_vec());
            match self.spelling.find(name) {
                Some(found) if found.shape == shape => {}
                Some(found) => {
                    self.mismatches.push(Mismatch::Shape { tensor, expected, found: found.shape.to_vec() });
                }
                None => self.mismatches.push(Mismatch::Missing { tensor, expected }),
            }
        }
        self.mismatches.len() == before
    }

    /// Tensors of one shape below each other. A single one stays in the mapped file where it can.
    fn stored(&self, names: &[String], shape: &[usize]) -> Result<Buffer, WeightsError> {
        if let [name] = names
            && let Some(floats) = self.weights.shared_f32(self.name_in_file(name), shape)?
        {
            return Ok(Buffer::shared(floats));
        }
        let len: usize = shape.iter().product();
        let mut values = Buffer::zeros(len * names.len());
        for (name, values) in names.iter().zip(values.chunks_mut(len.max(1))) {
            self.weights.read_f32(self.name_in_file(name), shape, values)?;
        }
        Ok(values)
    }

    fn name_in_file<'n>(&'n self, name: &'n str) -> &'n str {
        self.spelling.find(name).map_or(name, |tensor| tensor.name)
    }
}
