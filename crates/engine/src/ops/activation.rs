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
        let mut slope = self.take(x);
        let mut y = self.pool.take(rows * width);
        let isa = self.isa;
        let apply = |slope: &mut [f32], y: &mut [f32]| match function {
            Activation::Gelu => kernels::gelu(isa, slope, y),
            Activation::GeluTanh => kernels::gelu_tanh(isa, slope, y),
            Activation::Relu => kernels::relu(isa, slope, y),
        };
        if let Some(team) = &mut self.team {
            let part = team.part(rows) * width;
            team.share(slope.chunks_mut(part).zip(y.chunks_mut(part)), |_, (slope, y)| apply(slope, y));
        } else {
            apply(&mut slope, &mut y);
        }
        let needs_gradient = self.value(input).needs_gradient;
        let output = self.push(y, rows, width, needs_gradient);
        if self.is_training() && needs_gradient {
            let saved = Saved { input, output: output.index, slope };
            self.record(&output, || Node::Activation(saved));
        } else {
            self.pool.give(slope);
        }
        output
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
