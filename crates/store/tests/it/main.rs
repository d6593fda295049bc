//! The store as its users see it. Every test of behaviour runs on `SQLite`, and on `PostgreSQL` where asked to.
#![allow(clippy::unwrap_used)]

mod annotations;
mod data;
mod database;
mod queue;
