//! Bases: specs, the Hub against a server on this machine, wheels, the cache and its pins.
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too
#![allow(clippy::float_cmp)] // weights are stored and read back exactly

mod bases;
mod cache;
mod hub;
mod server;
mod spec;
mod wheel;
