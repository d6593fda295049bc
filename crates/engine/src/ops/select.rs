//! Some rows of an activation.

use super::Node;
use crate::{Tape, Tensor, kernels};

pub(crate) struct Saved {
    rows: Vec<u32>,
    input: usize,
    output: usize,
}

impl Tape<'_> {
    /// `[rows.len(), width]`: the rows of these numbers. What follows is computed for these alone.
    ///
    /// # Panics
    /// A number lies outside of `x`.
    pub fn select(&mut self, x: Tensor, rows: &[u32]) -> Tensor {
        let (_, width) = self.shape(&x);
        let mut y = self.pool.take(rows.len() * width);
        let source = self.data(x.index);
        for (y, &row) in y.chunks_exact_mut(width).zip(rows) {
            y.copy_from_slice(&source[row as usize * width..][..width]);
        }
        let (input, needs_gradient) = (x.index, self.value(x.index).needs_gradient);
        let output = self.push(y, rows.len(), width, needs_gradient);
        self.record(&output, || Node::Select(Saved { rows: rows.to_vec(), input, output: output.index }));
        self.release(x);
        output
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>) {
        tape.discard(self.output);
        let Some(dy) = tape.take_gradient(self.output) else { return };
        let (rows, width) = (tape.value(self.input).rows, tape.value(self.input).width);
        let mut dx = tape.take_gradient(self.input).unwrap_or_else(|| tape.pool.zeros(rows * width));
        for (dy, &row) in dy.chunks_exact(width).zip(&self.rows) {
            kernels::accumulate(tape.isa, &mut dx[row as usize * width..][..width], dy);
        }
        tape.put_gradient(self.input, dx);
        tape.pool.give(dy);
    }
}
