//! Dropout on its own (Srivastava et al., 2014), where no other operation takes it in.

use super::Node;
use crate::{Tape, Tensor, kernels, random::Dropout};

pub(crate) struct Saved {
    input: usize,
    output: usize,
    dropout: Dropout,
}

impl Tape<'_> {
    /// Drops elements with this probability while training; nothing otherwise.
    pub fn dropout(&mut self, x: Tensor, probability: f32) -> Tensor {
        let dropout = self.next_dropout(probability);
        if dropout.is_none() {
            return x;
        }
        let (rows, width) = self.shape(&x);
        let input = x.index;
        let mut y = self.take(x);
        kernels::drop_out(self.isa, &mut y, dropout);
        let needs_gradient = self.value(input).needs_gradient;
        let output = self.push(y, rows, width, needs_gradient);
        self.record(&output, || Node::Dropout(Saved { input, output: output.index, dropout }));
        output
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>) {
        if let Some(mut dy) = tape.take_gradient(self.output) {
            kernels::drop_out(tape.isa, &mut dy, self.dropout);
            tape.add_gradient(self.input, dy);
        }
        tape.discard(self.output);
    }
}
