//! Activation functions between the two maps of a feed-forward block.

use super::Node;
use crate::{Buffer, Tape, Tensor, kernels};

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x · Φ(x)`, with the normal distribution function itself.
    Gelu,
    /// The same, approximated with tanh (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

pub(crate) struct Saved {
    input: usize,
    output: usize,
    pub slope: Buffer,
}

impl Tape<'_> {
    /// The function of every element.
    pub fn activation(&mut self, x: Tensor, function: Activation) -> Tensor {
        let (rows, width) = self.shape(&x);
        let input = x.index;
        let needs_gradient = self.value(input).needs_gradient;
        let mut values = self.take(x);
        if !(self.is_training() && needs_gradient) {
            self.apply(&mut values, rows, width, function);
            return self.push(values, rows, width, needs_gradient);
        }
        let mut slope = values;
        let mut y = self.pool.take(rows * width);
        match function {
            Activation::Gelu => kernels::gelu(self.isa, &mut slope, &mut y),
            Activation::GeluTanh => kernels::gelu_tanh(self.isa, &mut slope, &mut y),
            Activation::Relu => kernels::relu(self.isa, &mut slope, &mut y),
        }
        let output = self.push(y, rows, width, needs_gradient);
        let saved = Saved { input, output: output.index, slope };
        self.record(&output, || Node::Activation(saved));
        output
    }

    /// In place, where no backward pass will ask for the derivative.
    fn apply(&mut self, values: &mut [f32], rows: usize, width: usize, function: Activation) {
        let isa = self.isa;
        let apply = |values: &mut [f32]| match function {
            Activation::Gelu => kernels::gelu_in_place(isa, values),
            Activation::GeluTanh => kernels::gelu_tanh_in_place(isa, values),
            Activation::Relu => kernels::relu_in_place(isa, values),
        };
        match &mut self.team {
            Some(team) => {
                let part = team.part(rows) * width;
                team.share(values.chunks_mut(part), |_, values| apply(values));
            }
            None => apply(values),
        }
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>) {
        if let Some(mut dy) = tape.take_gradient(self.output) {
            kernels::scale_by(tape.isa, &mut dy, &self.slope);
            tape.add_gradient(self.input, dy);
        }
        tape.pool.give(self.slope);
        tape.discard(self.output);
    }
}
