//! A small training engine for packed transformer encoders on the CPU.
//!
//! An encoder is written once, as the forward pass over a [`Tape`]; every operation saves what its backward pass
//! needs. Activations are `[rows, width]` with one row a token and the sequences end to end ([`Packed`]), never
//! padded. A worker thread owns a [`Pool`] of buffers and its [`Gradients`]; the [`optimizer`] adds the gradients of
//! all workers in their order and steps the [`Parameters`]. The same build, machine and number of threads give the
//! same bits.
//!
//! The engine knows nothing of entities or text.

// A body is compiled for an instruction set only where it is inlined into that instruction set's copy.
#![allow(clippy::inline_always)]
// `m`, `k`, `n` of a product, `x`, `y`, `dy` of a function: the field's own names.
#![allow(clippy::many_single_char_names)]
// Loops over lanes and register tiles index several arrays alike; the bounds are constants.
#![allow(clippy::needless_range_loop)]

mod buffer;
mod dot;
mod isa;
mod kernels;
mod ops;
pub mod optimizer;
mod packed;
mod pairs;
mod parameters;
mod product;
mod random;
mod tape;
mod team;
mod vector;

pub use buffer::{Buffer, Pool, SharedFloats};
pub use isa::Isa;
pub use ops::{Activation, Attention, Linear, Lookup, Norm, Target};
pub use packed::Packed;
pub use parameters::{Gradient, Gradients, Parameter, ParameterId, Parameters};
pub use product::quantize_rows;
pub use random::{DropoutKey, Random};
pub use tape::{Factors, Mode, Precision, Tape, Tensor};
pub use team::Team;
