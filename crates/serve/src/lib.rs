//! The inference server: a model behind HTTP, in the dialects of the tools that a team has.
//!
//! The server knows no model. It is given a [`Tagger`], which cuts a text into pieces, says how many there are, and finds the
//! entities of many such texts at once; so its tests need no weights.

pub mod aggregation;
mod tagger;

pub use tagger::{Encoded, Piece, Tagger};
