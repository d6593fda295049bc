//! The files of a registry, wherever they lie.

mod bucket;
mod folder;

use std::{fmt, fs::File, io::Write, path::Path};

pub(super) use bucket::Bucket;
pub use bucket::{Access, Patience};
pub(super) use folder::{Folder, LOCK_FILE};

use super::{Contents, FileSum, Place, RegistryError};

/// Longest file that is read whole.
pub(super) const LONGEST: u64 = 64 << 20;

/// Whether a file came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Creation {
    /// It did.
    New,
    /// Its name was taken, and what has the name is as it was.
    Taken,
}

/// The right to write, given back with the value or with the process.
pub(super) struct Writing {
    _lock: Option<File>,
}

/// What the rules of a registry need of the place where it lies. Names are relative to the registry, with `/` between their parts;
/// the registry itself has the empty name. Files appear whole or not at all.
pub(super) trait Objects: fmt::Debug + Send + Sync {
    /// Where the file or folder of this name is, for people.
    fn place(&self, name: &str) -> Place;

    /// The names right below a folder, sorted; none where there is no such folder. What belongs to nothing yet is left out.
    fn names(&self, folder: &str) -> Result<Vec<String>, RegistryError>;

    /// A file of at most [`LONGEST`] bytes; `None` where there is none.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RegistryError>;

    /// Several files at once, in the order of their names.
    fn read_all(&self, names: &[String]) -> Vec<Result<Option<Vec<u8>>, RegistryError>> {
        names.iter().map(|name| self.read(name)).collect()
    }

    /// Writes a file where there is none, and waits until it is safe. Of several that create one name at once, one does.
    fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, RegistryError>;

    /// Writes a file, in the place of one that is there, and waits until it is safe.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), RegistryError>;

    /// Copies a file; length and sum of what was copied.
    fn copy_out(&self, name: &str, to: &mut dyn Write) -> Result<FileSum, RegistryError>;

    /// Takes the files of a bundle in as a folder, in the place of one that is there. Each is summed on its way, and the
    /// manifest is there last.
    fn take_in(&self, folder: &str, bundle: &Path, contents: &Contents) -> Result<(), RegistryError>;

    /// Waits for the right to write. `marker` is what makes this place a registry.
    fn begin(&self, marker: &[u8]) -> Result<Writing, RegistryError>;
}
