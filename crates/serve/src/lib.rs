//! The inference server: a model behind HTTP, in the dialects of the tools that a team has.
//!
//! The server knows no model. It is given a [`Tagger`], which cuts a text into pieces, says how many there are, and finds the
//! entities of many such texts at once; so its tests need no weights. A request's texts wait in a [`Queue`] that is bounded in word pieces, and a
//! thread of its own fills batches across requests. Nothing is printed here: an [`Observe`] is told of what happens.

mod access;
pub mod aggregation;
mod app;
mod cache;
pub mod config;
mod metrics;
mod models;
mod observe;
mod queue;
mod refusal;
mod routes;
mod server;
mod tagger;

pub use access::{hash, hex};
pub use app::App;
pub use config::{Config, ConfigError};
pub use metrics::Metrics;
pub use models::{Live, Loaded, Models, Open, Opened};
pub use observe::{Observe, RequestRecord, Tagged, Unobserved, Work};
pub use queue::{Answer, Found, Queue, Reply, Room, Want, Watch};
pub use refusal::Refusal;
pub use routes::openapi;
pub use server::{Handle, Server, StartError};
pub use tagger::{Encoded, Piece, Tagger};
pub use transport::TlsError;
