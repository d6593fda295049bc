//! The server as its clients see it, over real sockets, with a recognizer that needs no weights.

#![allow(clippy::unwrap_used)]

mod access;
mod dialects;
mod faults;
mod models;
mod sample;
mod secure;
