//! The operations that encoders are written with: each a method of [`Tape`](crate::Tape) for the forward pass and
//! a record of what its backward pass needs.

mod activation;
mod attention;
mod cross_entropy;
mod dropout;
mod embedding;
mod linear;
mod norm;
mod select;

pub use activation::Activation;
pub use attention::Attention;
pub use cross_entropy::Target;
pub use embedding::Lookup;
pub use linear::Linear;
pub use norm::Norm;

use crate::{Gradients, Pool, Tape};

/// An operation that ran, and what its backward pass needs.
pub(crate) enum Node {
    Activation(activation::Saved),
    Attention(attention::Saved),
    Dropout(dropout::Saved),
    Embedding(embedding::Saved),
    Linear(linear::Saved),
    Norm(norm::Saved),
    Select(select::Saved),
}

impl Node {
    pub(crate) fn backward(self, tape: &mut Tape<'_>, gradients: &mut Gradients) {
        match self {
            Self::Activation(saved) => saved.backward(tape),
            Self::Attention(saved) => saved.backward(tape),
            Self::Dropout(saved) => saved.backward(tape),
            Self::Embedding(saved) => saved.backward(tape, gradients),
            Self::Linear(saved) => saved.backward(tape, gradients),
            Self::Norm(saved) => saved.backward(tape, gradients),
            Self::Select(saved) => saved.backward(tape),
        }
    }

    /// Returns the buffers of an operation whose backward pass did not run.
    pub(crate) fn give_back(self, pool: &mut Pool) {
        match self {
            Self::Activation(saved) => pool.give(saved.slope),
            Self::Attention(saved) => pool.give(saved.log_sums),
            Self::Norm(saved) => {
                pool.give(saved.normalized);
                pool.give(saved.inverse);
            }
            Self::Dropout(_) | Self::Embedding(_) | Self::Linear(_) | Self::Select(_) => {}
        }
    }
}
