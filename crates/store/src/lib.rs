//! The project database: documents, annotations with their history, suggestions, queues, people, runs.
//!
//! [`Store`] is an `SQLite` file in the project's folder, or a `PostgreSQL` database by its address; the same queries serve
//! both. Annotations are an append-only history by document and [`Layer`]: [`Store::save`] adds a [`Revision`] to the one that its
//! writer had seen, and refuses a stale one as [`StoreError::Conflict`], which keeps both versions. What is acknowledged is on
//! disk: a transaction is synced before it is reported.
//!
//! Spans are bytes in memory. In the database they are Unicode code points with the text that they cover beside them,
//! which is compared whenever they are read. Times are milliseconds since 1970 ([`Millis`]).

mod access;
mod conflict;
mod connection;
mod document;
mod draft;
mod error;
mod export;
mod finding;
mod history;
mod import;
mod mentions;
mod migration;
mod progress;
mod project;
mod queue;
mod relabel;
mod revision;
mod revision_row;
mod run;
mod saving;
mod search;
mod suggestion;
mod time;
mod user;
mod wire;

pub use access::{Access, AccessKind};
pub use connection::Store;
pub use document::{DocumentRow, Number};
pub use draft::Draft;
pub use error::StoreError;
pub use export::{Exported, Select};
pub use finding::{Finding, Found};
pub use import::{Given, Import, Imported};
pub use migration::VERSION;
pub use progress::Progress;
pub use project::{Definition, Project, ProjectId};
pub use queue::{Lease, RANKED, Task};
pub use relabel::{Preview, Relabel, Relabelled, Touched};
pub use revision::{Layer, Lost, NewRevision, Provenance, Refused, Revision, Verdict};
pub use run::{NewRun, Run, RunId, RunState};
pub use search::{Listed, Search, State};
pub use time::{Millis, now};
pub use user::{Member, Role, User, UserId};
