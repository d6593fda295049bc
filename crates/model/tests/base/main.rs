//! Bases: specs, the Hub against a server on this machine, wheels, the cache and its pins.

mod bases;
mod cache;
mod hub;
mod server;
mod spec;
mod wheel;
