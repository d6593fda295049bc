//! The gate and the registry, as the command line uses them.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod bundles;
mod crash;
mod damage;
mod gate;
mod hub;
mod predictions;
mod registry;
mod sequences;
mod store;
