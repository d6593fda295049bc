//! What must hold of training: settings, data, the loop, and the run's folder whatever happens to it.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod checkpoints;
mod config;
mod crash;
mod cross_validation;
mod data;
mod divergence;
mod fit;
mod label_errors;
mod report;
mod run;
mod sample;
mod tracking;
mod update;
