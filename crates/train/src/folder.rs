//! The folder of a run, and whose it is.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::{Checkpoints, RunError, checkpoint, events, tracking};

/// Beginnings of the names that unfinished bundles bear until they are whole.
const UNFINISHED_BUNDLE: &str = ".nomen-bundle-";

/// The folder of a run, held by this process alone.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Locked as long as the run lives; the system lets go of it with the process.
    _lock: File,
}

impl RunFolder {
    /// Takes a folder for a run, making it where it does not exist.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let io = |error| RunError::Io { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(io)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("run.lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(RunError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a run was begun here.
    pub fn is_occupied(&self) -> bool {
        self.events().exists() || self.checkpoints().exist()
    }

    /// A file or folder in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The best model on the dev set; the last one where there is no dev set.
    pub fn model_best(&self) -> PathBuf {
        self.join("model-best")
    }

    /// The model after the last step.
    pub fn model_last(&self) -> PathBuf {
        self.join("model-last")
    }

    /// `events.jsonl`.
    pub fn events(&self) -> PathBuf {
        self.join("events.jsonl")
    }

    /// The checkpoints.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.join("checkpoints"))
    }

    /// Removes what a crash in the middle of a save left behind. What cannot be removed costs room, nothing else.
    pub(crate) fn remove_unfinished(&self) {
        let remove = |folder: &Path, beginning: &str| {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(beginning) {
                    let path = entry.path();
                    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                }
            }
        };
        remove(&self.path, UNFINISHED_BUNDLE);
        remove(&self.path, events::UNFINISHED);
        remove(&self.join(tracking::FOLDER), tracking::UNFINISHED);
        remove(&self.join("checkpoints"), checkpoint::UNFINISHED);
    }
}
