//! Layer normalization, with the residual connection and the dropout that stand before it in an encoder.

use super::Node;
use crate::{Buffer, Gradients, ParameterId, Tape, Tensor, kernels, random::Dropout};

/// A layer normalization's parameters.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// Scale, `[width]`.
    pub gamma: ParameterId,
    /// Shift, `[width]`.
    pub beta: ParameterId,
    /// Added to the variance.
    pub eps: f32,
}

pub(crate) struct Saved {
    norm: Norm,
    input: usize,
    residual: Option<usize>,
    output: usize,
    pub normalized: Buffer,
    pub inverse: Buffer,
    dropout: Dropout,
}

impl Tape<'_> {
    /// `norm(x)`, `[rows, width]`.
    ///
    /// # Panics
    /// The norm is not as wide as `x`.
    pub fn norm(&mut self, x: Tensor, norm: Norm) -> Tensor {
        self.normalize(x, None, norm, 0.0)
    }

    /// `norm(dropout(x) + residual)`, `[rows, width]`.
    ///
    /// # Panics
    /// The norm is not as wide as `x`, or the residual has another shape.
    pub fn residual_norm(&mut self, x: Tensor, residual: Tensor, norm: Norm, dropout: f32) -> Tensor {
        self.normalize(x, Some(residual), norm, dropout)
    }

    fn normalize(&mut self, x: Tensor, residual: Option<Tensor>, norm: Norm, dropout: f32) -> Tensor {
        let (rows, width) = self.shape(&x);
        let dropout = self.next_dropout(dropout);
        let parameters = self.parameters;
        let (gamma, beta) = (parameters.get(norm.gamma), parameters.get(norm.beta));
        assert_eq!([gamma.values.len(), beta.values.len()], [width; 2], "`{}` is as wide as its input", gamma.name);
        assert!(residual.as_ref().is_none_or(|residual| self.shape(residual) == (rows, width)), "one residual a value");
        let input = x.index;
        let mut normalized = self.take(x);
        let mut y = self.pool.take(rows * width);
        let mut inverse = self.pool.take(rows);
        let residual_data = residual.as_ref().map_or(&[][..], |residual| self.values[residual.index].contents());
        let isa = self.isa;
        let normalize = |x: &mut [f32], residual: &[f32], y: &mut [f32], inverse: &mut [f32]| {
            kernels::layer_norm_forward(isa, x, residual, dropout, &gamma.values, &beta.values, norm.eps, y, inverse);
        };
        if let Some(team) = &mut self.team {
            let part = team.part(rows);
            let residuals = residual_data.chunks(part * width).chain(std::iter::repeat(&[][..]));
            let jobs = normalized.chunks_mut(part * width).zip(residuals);
            let jobs = jobs.zip(y.chunks_mut(part * width)).zip(inverse.chunks_mut(part));
            team.share(jobs, |_, (((x, residual), y), inverse)| normalize(x, residual, y, inverse));
        } else {
            normalize(&mut normalized, residual_data, &mut y, &mut inverse);
        }
        let residual_index = residual.as_ref().map(|residual| residual.index);
        let behind = [Some(input), residual_index].into_iter().flatten().any(|index| self.value(index).needs_gradient);
        let needs_gradient = behind || gamma.trainable || beta.trainable;
        let output = self.push(y, rows, width, needs_gradient);
        if let Some(residual) = residual {
            self.release(residual);
        }
        if self.is_training() && needs_gradient {
            let saved =
                Saved { norm, input, residual: residual_index, output: output.index, normalized, inverse, dropout };
            self.record(&output, || Node::Norm(saved));
        } else {
            self.pool.give(normalized);
            self.pool.give(inverse);
        }
        output
    }
}

impl Saved {
    pub fn backward(self, tape: &mut Tape<'_>, gradients: &mut Gradients) {
        let Some(mut dy) = tape.take_gradient(self.output) else { return };
        let mut dx = tape.pool.take(dy.len());
        let parameters = tape.parameters;
        let gamma = parameters.get(self.norm.gamma);
        let width = gamma.width;
        // The two sums cannot be borrowed from the gradients at once, so they go through scratch.
        let (mut dgamma, mut dbeta) = (tape.pool.zeros(width), tape.pool.zeros(width));
        kernels::layer_norm_backward(
            tape.isa,
            &mut dy,
            &mut dx,
            &self.normalized,
            &self.inverse,
            self.dropout,
            &gamma.values,
            &mut dgamma,
            &mut dbeta,
        );
        for (id, sum) in [(self.norm.gamma, dgamma), (self.norm.beta, dbeta)] {
            if tape.trainable(id) {
                kernels::accumulate(tape.isa, gradients.dense_sum(id, width), &sum);
            }
            tape.pool.give(sum);
        }
        for (index, gradient) in [(Some(self.input), dx), (self.residual, dy)] {
            match index {
                Some(index) if tape.value(index).needs_gradient => tape.add_gradient(index, gradient),
                _ => tape.pool.give(gradient),
            }
        }
        tape.pool.give(self.normalized);
        tape.pool.give(self.inverse);
        tape.discard(self.output);
    }
}
