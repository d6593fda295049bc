//! Affine maps.

use std::borrow::Cow;

use super::Node;
use crate::{
    Factors, Gradients, Isa, Mode, ParameterId, Pool, Precision, Tape, Tensor, kernels,
    product::{QuantizedPanels, Start, View, matmul, matmul_bf16, matmul_bytes, matmul_panels},
};

/// Numbers of the weight `[out, in]` and the bias `[out]` of an affine map, laid out as in `PyTorch`.
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: ParameterId,
    /// `[out]`.
    pub bias: ParameterId,
}

pub(crate) struct Saved {
    map: Linear,
    input: usize,
    output: usize,
}

impl Tape<'_> {
    /// `y = x · weightᵀ + bias`: `x [rows, in]` to `[rows, out]`.
    ///
    /// # Panics
    /// The weight is not as wide as `x`, or the bias has not one value a row of the weight.
    pub fn linear(&mut self, x: &Tensor, map: Linear) -> Tensor {
        let (rows, inputs) = self.shape(x);
        let parameters = self.parameters;
        let (weight, bias) = (parameters.get(map.weight), parameters.get(map.bias));
        let outputs = weight.rows;
        assert_eq!(weight.width, inputs, "`{}` is as wide as its input", weight.name);
        assert_eq!(bias.values.len(), outputs, "`{}` has one value an output", bias.name);
        let mut y = self.pool.take(rows * outputs);
        let (isa, mode, bias) = (self.isa, self.mode, &bias.values);
        let weights = View::rows(&weight.values, inputs).transposed();
        let x_data = self.values[x.index].contents();
        let input = View::rows(x_data, inputs);
        let (shape, start) = ([rows, inputs, outputs], Start::Row(bias));
        match mode {
            // The weights change with every step: there is nothing to keep.
            Mode::Training { factors, .. } => {
                multiply(factors)(isa, self.pool, &mut y, input, weights, shape, start);
            }
            Mode::Inference(Precision::F32) => match parameters.panels(map.weight, isa) {
                Some(panels) => {
                    matmul_panels(self.team.as_deref_mut(), isa, self.pool, &mut y, input, panels, start);
                }
                None => matmul(isa, self.pool, &mut y, input, weights, shape, start),
            },
            Mode::Inference(Precision::Int8) => {
                let fresh = || QuantizedPanels::new(isa, &weight.values, [outputs, inputs]);
                let quantized =
                    parameters.quantized(map.weight, isa).map_or_else(|| Cow::Owned(fresh()), Cow::Borrowed);
                if let Some(team) = &mut self.team {
                    let part = team.part(rows);
                    let jobs = x_data.chunks(part * inputs).zip(y.chunks_mut(part * outputs));
                    team.share(jobs, |pool, (x, y)| {
                        matmul_bytes(isa, pool, y, View::rows(x, inputs), &quantized, bias);
                    });
                } else {
                    matmul_bytes(isa, self.pool, &mut y, input, &quantized, bias);
                }
            }
        }
        let trained = self.trainable(map.weight) || self.trainable(map.bias);
        let needs_gradient = trained || self.value(x.index).needs_gradient;
        let output = self.push(y, rows, outputs, needs_gradient);
        if self.trainable(map.weight) {
            self.save(x);
        }
        self.record(&output, || Node::Linear(Saved { map, input: x.index, output: output.index }));
        output
    }
}

/// `c = start + a · b` in some number format.
type Multiply = fn(Isa, &mut Pool, &mut [f32], View<'_>, View<'_>, [usize; 3], Start<'_>);

fn multiply(factors: Factors) -> Multiply {
    match factors {
        Factors::F32 => matmul,
        Factors::Bf16 => matmul_bf16,
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>, gradients: &mut Gradients) {
        tape.discard(self.output);
        let Some(dy) = tape.take_gradient(self.output) else { return };
        let (rows, inputs) = (tape.value(self.input).rows, tape.value(self.input).width);
        let parameters = tape.parameters;
        let weight = parameters.get(self.map.weight);
        let outputs = weight.rows;
        let Mode::Training { factors, .. } = tape.mode else { unreachable!("a backward pass belongs to training") };
        let multiply = multiply(factors);
        if weight.trainable {
            let (dweight, fresh) = gradients.dense(self.map.weight, outputs * inputs);
            let x = View::rows(tape.values[self.input].contents(), inputs);
            let start = if fresh { Start::Zero } else { Start::Target };
            multiply(
                tape.isa,
                tape.pool,
                dweight,
                View::rows(&dy, outputs).transposed(),
                x,
                [outputs, rows, inputs],
                start,
            );
        }
        if tape.trainable(self.map.bias) {
            kernels::add_column_sums(tape.isa, &dy, gradients.dense_sum(self.map.bias, outputs));
        }
        if tape.value(self.input).needs_gradient {
            // Where another operation has read the same activation, its gradient is added to in place.
            let known = tape.take_gradient(self.input);
            let start = if known.is_some() { Start::Target } else { Start::Zero };
            let mut dx = known.unwrap_or_else(|| tape.pool.take(rows * inputs));
            let weights = View::rows(&weight.values, inputs);
            multiply(tape.isa, tape.pool, &mut dx, View::rows(&dy, outputs), weights, [rows, outputs, inputs], start);
            tape.put_gradient(self.input, dx);
        }
        tape.pool.give(dy);
    }
}
