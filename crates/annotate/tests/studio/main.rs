//! The studio as a service, asked without a socket.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod access;
#[path = "../../../store/tests/it/cluster.rs"]
mod cluster;
mod conflict;
mod fixture;
mod flow;
mod label_errors;
mod login;
mod markup;
mod runs;
mod speed;
