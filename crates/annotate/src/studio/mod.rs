//! The web application in which people annotate, review and watch.
//!
//! [`app`] makes its routes of one table (`routes`) that says what each needs, so that there is no route without a rule; the guard of
//! `access` stands before all of them. Pages are made on the server (`pages`), and everything that they do, programs can do by the
//! JSON interface (`api`). On a loopback address it is for the person at the machine; elsewhere it asks for accounts, and does not
//! start without ([`Settings::check`]).

mod access;
pub mod address;
mod api;
pub mod assets;
mod body;
pub mod colours;
mod dress;
pub mod editor;
pub mod export;
pub mod import;
mod learning;
pub mod marked;
pub mod page;
mod pages;
mod path;
mod ranking;
mod refusal;
pub mod review;
mod routes;
mod runs;
mod server;
mod settings;
mod state;

pub use access::{
    Needs,
    password::{PasswordError, hash as hash_password},
};
pub use api::openapi;
pub use learning::{Learning, learn};
pub use refusal::Refusal;
pub use routes::{ROUTES, Route, app};
pub use runs::{StartRun, Training};
pub use server::Port;
pub use settings::{Settings, StartError};
pub use state::{Studio, logs_in};

/// Tells long answers that the studio is about to stop.
#[derive(Debug, Clone)]
struct Stop(tokio::sync::watch::Receiver<bool>);
