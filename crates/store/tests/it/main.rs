//! The store as its users see it. Every test of behaviour runs on `SQLite`, and on `PostgreSQL` where asked to.
#![allow(clippy::unwrap_used)]

mod annotations;
mod cluster;
mod data;
mod database;
mod documents;
mod faults;
mod layout;
mod people;
mod queue;
mod relabelling;
mod searching;
mod sources;
mod speed;
