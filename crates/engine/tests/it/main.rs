//! What the engine computes, held against finite differences, `PyTorch`'s recorded values and itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adamw;
mod cases;
mod determinism;
mod fixture;
mod frozen;
mod functions;
mod gradients;
mod isa;
mod memory;
mod optimizer;
mod schedule;
mod shapes;
