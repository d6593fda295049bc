//! Why a registry refuses.

use std::{io, path::PathBuf};

use thiserror::Error;

use super::{Place, VersionName, event::EventError};

/// Why something cannot be done with a registry. What was there before is as it was.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The system said no.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// No registry lies here.
    #[error("{0}: there is no registry; `nomen registry add` makes one")]
    NoRegistry(Place),
    /// Something else lies here.
    #[error("{0}: holds files, but is no registry; name another one")]
    Occupied(Place),
    /// Somebody else writes.
    #[error("{0}: another process has been writing to the registry for half a minute; try again when it is done")]
    Locked(Place),
    /// Somebody else wrote an event, again and again.
    #[error("{0}: other processes have been writing to the registry for half a minute; try again when they are done")]
    Overtaken(Place),
    /// An object store cannot be reached, refuses, or cannot do what a registry needs.
    #[error("{path}: {problem}")]
    Store {
        /// What was asked for.
        path: Place,
        /// What the store said, and the way out.
        problem: String,
    },
    /// A file is not what it should be.
    #[error("{path}: {problem}")]
    Damaged {
        /// The file.
        path: Place,
        /// What was expected and what was found, and the way out.
        problem: String,
    },
    /// Two events contradict each other.
    #[error("{path}: {error}; `nomen registry verify` lists everything that is wrong")]
    Event {
        /// The event's file.
        path: Place,
        /// What contradicts.
        error: EventError,
    },
    /// No version has this name.
    #[error("{name}: there is no such version; there are {known}")]
    Unknown {
        /// What was asked for.
        name: VersionName,
        /// The versions that there are.
        known: String,
    },
    /// Several versions begin with these digits.
    #[error("{name}: several versions begin with these digits: {found}; give more of them")]
    Ambiguous {
        /// What was asked for.
        name: VersionName,
        /// The versions that it could be.
        found: String,
    },
    /// No version is live.
    #[error("{0}: no version is live; `nomen registry promote VERSION` makes one live")]
    NothingLive(Place),
    /// A version cannot be moved as asked.
    #[error("{0}")]
    Refused(String),
}
