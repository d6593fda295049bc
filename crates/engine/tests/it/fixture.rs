//! Random weights, small forward passes over them, and comparisons.

use nomen_engine::{
    Buffer, DropoutKey, Factors, Gradient, Gradients, Isa, Linear, Lookup, Mode, Norm, Packed, Parameter, ParameterId,
    Parameters, Pool, Random, Tape, Tensor,
};

/// Parameters being drawn.
pub struct Weights {
    pub parameters: Parameters,
    pub ids: Vec<ParameterId>,
    random: Random,
}

impl Weights {
    pub fn new(seed: u64) -> Self {
        Self { parameters: Parameters::default(), ids: Vec::new(), random: Random::new(seed) }
    }

    /// A parameter with these values.
    pub fn given(&mut self, name: &str, width: usize, values: &[f32]) -> ParameterId {
        let id = self.parameters.add(Parameter {
            name: name.to_owned(),
            rows: values.len() / width,
            width,
            values: Buffer::from_slice(values),
            decays: true,
            trainable: true,
            sparse: false,
        });
        self.ids.push(id);
        id
    }

    /// Normally distributed around `mean`.
    pub fn drawn(&mut self, name: &str, [rows, width]: [usize; 2], mean: f64, deviation: f64) -> ParameterId {
        let values: Vec<f32> = (0..rows * width).map(|_| (mean + deviation * self.random.normal()) as f32).collect();
        self.given(name, width, &values)
    }

    pub fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Linear {
        let deviation = 1.0 / (inputs as f64).sqrt();
        Linear {
            weight: self.drawn(&format!("{name}.weight"), [outputs, inputs], 0.0, deviation),
            bias: self.drawn(&format!("{name}.bias"), [1, outputs], 0.0, 0.5),
        }
    }

    pub fn norm(&mut self, name: &str, width: usize) -> Norm {
        Norm {
            gamma: self.drawn(&format!("{name}.gamma"), [1, width], 1.0, 0.3),
            beta: self.drawn(&format!("{name}.beta"), [1, width], 0.0, 0.3),
            eps: 1e-5,
        }
    }

    /// A table with a row of its own for every token: its gradient is that of an operation's input.
    pub fn input(&mut self, name: &str, rows: usize, width: usize) -> Lookup {
        Lookup { table: self.drawn(name, [rows, width], 0.0, 1.0), ids: (0..rows as u32).collect() }
    }
}

/// What a forward pass gave.
pub struct Outcome {
    pub loss: f64,
    pub output: Vec<f32>,
}

/// A forward pass with a loss, and all that it reads.
pub struct Case {
    pub name: String,
    pub parameters: Parameters,
    pub ids: Vec<ParameterId>,
    pub packed: Packed,
    forward: Forward,
}

/// Runs a case's operations and puts the loss's gradient on the tape.
type Forward = Box<dyn Fn(&mut Tape<'_>) -> Outcome + Send>;

impl Case {
    pub fn new(
        name: impl Into<String>,
        weights: Weights,
        lengths: &[usize],
        forward: impl Fn(&mut Tape<'_>) -> Outcome + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            parameters: weights.parameters,
            ids: weights.ids,
            packed: Packed::new(lengths.iter().copied()),
            forward: Box::new(forward),
        }
    }

    pub fn forward(&self, pool: &mut Pool, isa: Isa, mode: Mode) -> Outcome {
        (self.forward)(&mut Tape::new(&self.parameters, pool, &self.packed, isa, mode))
    }

    /// Forward and backward; the gradients are added.
    pub fn train(&self, pool: &mut Pool, isa: Isa, gradients: &mut Gradients) -> Outcome {
        let mut tape = Tape::new(&self.parameters, pool, &self.packed, isa, training());
        let outcome = (self.forward)(&mut tape);
        tape.backward(gradients);
        outcome
    }

    /// Forward and backward from nothing; a gradient a parameter, every weight's written out.
    pub fn gradients(&self, isa: Isa) -> (Outcome, Vec<Vec<f32>>) {
        let mut gradients = Gradients::new(&self.parameters);
        let outcome = self.train(&mut Pool::default(), isa, &mut gradients);
        (outcome, self.ids.iter().map(|&id| dense(&self.parameters, &gradients, id)).collect())
    }
}

/// The one dropout key of all cases: dropping the same values every time makes the loss a function.
pub fn training() -> Mode {
    Mode::Training { dropout: DropoutKey::new(5, 1), factors: Factors::F32 }
}

/// The gradient of every weight of a parameter.
pub fn dense(parameters: &Parameters, gradients: &Gradients, id: ParameterId) -> Vec<f32> {
    let parameter = parameters.get(id);
    let mut all = vec![0.0; parameter.values.len()];
    match gradients.get(id) {
        Gradient::Zero => {}
        Gradient::Dense(values) => all.copy_from_slice(values),
        Gradient::Rows { ids, values } => {
            for (&id, row) in ids.iter().zip(values.chunks_exact(parameter.width)) {
                all[id as usize * parameter.width..][..parameter.width].copy_from_slice(row);
            }
        }
    }
    all
}

/// `sum(w * y)` with fixed random `w`, in double precision, as the loss; `w` is put on `y` as its gradient.
pub fn weighted_sum(tape: &mut Tape<'_>, y: &Tensor) -> Outcome {
    let output = tape.read(y).to_vec();
    let mut random = Random::new(99);
    let weights: Vec<f32> = output.iter().map(|_| random.normal() as f32).collect();
    let loss = output.iter().zip(&weights).map(|(y, w)| f64::from(*y) * f64::from(*w)).sum();
    tape.put_loss_gradient(y, &weights);
    Outcome { loss, output }
}

/// Adds rows to the gradient of a table, exactly as given.
pub fn add(parameters: &Parameters, gradients: &mut Gradients, id: ParameterId, rows: &[u32], values: &[f32]) {
    let packed = Packed::new([rows.len()]);
    let mut pool = Pool::default();
    let mut tape = Tape::new(parameters, &mut pool, &packed, Isa::detect(), training());
    let y = tape.embedding(vec![Lookup { table: id, ids: rows.to_vec() }]);
    tape.put_loss_gradient(&y, values);
    tape.backward(gradients);
}

/// The largest absolute value.
pub fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// Bits, to compare what must be the same and not only close.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Every value within `tolerance` of the expected one; an infinite or NaN value never is.
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(*got) - expected).abs();
        assert!(error <= tolerance, "{what}, element {index}: {got} for {expected}");
    }
}
