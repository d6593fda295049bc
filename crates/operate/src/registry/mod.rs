//! Versions of a model in a folder: immutable bundles by content hash, their lineage, which of them is live, and how it came
//! to be.
//!
//! ```text
//! nomen-registry.json      the format of the folder
//! versions/ID/             a bundle; ID is the SHA-256 of its nomen.json, which holds the sums of its other files
//! gates/SHA256.json        reports of gates
//! history/00000001.json    one event a file, numbered without a gap, each with the sum of the one before
//! writer.lock              held by whoever writes
//! ```
//!
//! The events are the only truth; [`State`] is what they add up to. An event is written beside its place, synced, and put
//! there by one rename that replaces nothing. So at every instant, whatever dies, there is one state and at most one live
//! version, and of two writers without a lock one would fail. A bundle is whole in its place before an event names it.
//! Nothing in the folder is ever changed or removed, but for what a killed writer left half done.

mod bundle;
mod card;
mod error;
mod event;
mod files;
mod history;
mod hub;
mod id;
mod promotion;
mod receive;
mod state;
mod verify;

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

pub use bundle::{Contents, FileSum, MANIFEST_FILE};
pub use card::{CARD_FILE, Card};
pub use error::RegistryError;
pub use event::{Event, What};
use files::io_at;
pub use hub::{Pushed, Repository, RepositoryError, pull, push, push_folder};
pub use id::{VersionId, VersionName, VersionNameError};
pub use promotion::{Promoted, Promotion};
pub use receive::{Added, Addition};
pub use state::{Gated, Stage, State, Version};
pub use verify::Problem;

/// The file that makes a folder a registry.
pub const MARKER_FILE: &str = "nomen-registry.json";

/// The format that this build writes; a newer one is refused.
const FORMAT: u32 = 1;

/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct Marker {
    format: u32,
}

/// A folder of versions.
#[derive(Debug, Clone)]
pub struct Registry {
    root: PathBuf,
}

/// The right to write, given back with the value or with the process.
struct Writing {
    _lock: File,
}

impl Registry {
    /// Whether a folder is a registry.
    pub fn is_at(root: &Path) -> bool {
        root.join(MARKER_FILE).is_file()
    }

    /// Opens a registry.
    ///
    /// # Errors
    /// There is none in this folder, or it is of a newer format.
    pub fn open(root: &Path) -> Result<Self, RegistryError> {
        let path = root.join(MARKER_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(RegistryError::NoRegistry(root.to_owned()));
            }
            Err(error) => return Err(io_at(&path)(error)),
        };
        let damaged = |problem: String| RegistryError::Damaged { path: path.clone(), problem };
        let Marker { format } = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if format != FORMAT {
            return Err(damaged(format!(
                "the registry has format {format}, this nomen knows {FORMAT}; use the nomen that wrote it"
            )));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Opens a registry, making it where there is nothing or an empty folder.
    ///
    /// # Errors
    /// The folder holds something else, cannot be made, or as [`Registry::open`].
    pub fn open_or_create(root: &Path) -> Result<Self, RegistryError> {
        match Self::open(root) {
            Err(RegistryError::NoRegistry(_)) => {}
            result => return result,
        }
        fs::create_dir_all(root).map_err(io_at(root))?;
        // What a killed process began to write is nobody's.
        let is_foreign = |name: &str| !name.starts_with(files::UNFINISHED) && name != LOCK_FILE;
        let entries = fs::read_dir(root).map_err(io_at(root))?;
        for entry in entries {
            let name = entry.map_err(io_at(root))?.file_name();
            if is_foreign(&name.to_string_lossy()) && name != MARKER_FILE {
                return Err(RegistryError::Occupied(root.to_owned()));
            }
        }
        let registry = Self { root: root.to_owned() };
        let _writing = registry.lock()?;
        if !Self::is_at(root) {
            let marker = files::pretty(&Marker { format: FORMAT });
            files::write(root, MARKER_FILE, &marker, files::Existing::Keep)?;
        }
        Self::open(root)
    }

    /// Where it lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What its events add up to.
    ///
    /// # Errors
    /// An event is missing, damaged, or contradicts those before it; the file is named.
    pub fn state(&self) -> Result<State, RegistryError> {
        State::of(&history::read(&self.history())?)
    }

    /// Its events, the oldest first.
    ///
    /// # Errors
    /// As [`Registry::state`].
    pub fn events(&self) -> Result<Vec<Event>, RegistryError> {
        Ok(history::read(&self.history())?.into_iter().map(|read| read.event).collect())
    }

    /// The folder of a version's bundle.
    pub fn folder(&self, id: &VersionId) -> PathBuf {
        self.versions().join(id.as_str())
    }

    /// The folder of a version, after every sum was computed again.
    ///
    /// # Errors
    /// A file is missing or not what was added; it is named.
    pub fn verified_folder(&self, id: &VersionId) -> Result<PathBuf, RegistryError> {
        let folder = self.folder(id);
        Contents::verify(&folder, Some(id))?;
        Ok(folder)
    }

    /// The report of a gate, as it was given.
    ///
    /// # Errors
    /// The file is missing or was changed.
    pub fn gate_report(&self, gated: &Gated) -> Result<Vec<u8>, RegistryError> {
        let path = self.gates().join(format!("{}.json", gated.report));
        let bytes = fs::read(&path).map_err(io_at(&path))?;
        if files::sum(&bytes) == gated.report {
            return Ok(bytes);
        }
        let problem = "the report is not the one that was recorded".to_owned();
        Err(RegistryError::Damaged { path, problem })
    }

    fn versions(&self) -> PathBuf {
        self.root.join("versions")
    }

    fn gates(&self) -> PathBuf {
        self.root.join("gates")
    }

    fn history(&self) -> PathBuf {
        self.root.join("history")
    }

    /// Waits for the right to write, and clears away what killed writers left half done.
    fn lock(&self) -> Result<Writing, RegistryError> {
        let path = self.root.join(LOCK_FILE);
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => return Err(RegistryError::Locked(self.root.clone())),
                Err(TryLockError::Error(error)) => return Err(io_at(&path)(error)),
            }
        }
        for folder in [self.root.clone(), self.versions(), self.gates(), self.history()] {
            files::remove_unfinished(&folder);
        }
        Ok(Writing { _lock: lock })
    }
}

const LOCK_FILE: &str = "writer.lock";
