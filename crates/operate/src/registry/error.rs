//! Why a registry refuses.

use std::{io, path::PathBuf};

use thiserror::Error;

use super::{VersionName, event::EventError};

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
    NoRegistry(PathBuf),
    /// Something else lies here.
    #[error("{0}: holds files, but is no registry; name another folder")]
    Occupied(PathBuf),
    /// Somebody else writes.
    #[error("{0}: another process has been writing to the registry for half a minute; try again when it is done")]
    Locked(PathBuf),
    /// A file is not what it should be.
    #[error("{path}: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found, and the way out.
        problem: String,
    },
    /// Two events contradict each other.
    #[error("{path}: {error}; `nomen registry verify` lists everything that is wrong")]
    Event {
        /// The event's file.
        path: PathBuf,
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
    NothingLive(PathBuf),
    /// A version cannot be moved as asked.
    #[error("{0}")]
    Refused(String),
}
