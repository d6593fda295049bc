//! How a version gets onto this machine.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Contents, FileSum, MANIFEST_FILE, Registry, RegistryError, VersionId,
    files::{self, io_at},
};

/// Half-fetched versions are removed once no process can still be writing them.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a version has come on its way to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching<'a> {
    /// The file that comes next.
    pub file: &'a str,
    /// Bytes of the files before it.
    pub done: u64,
    /// Bytes of all files.
    pub total: u64,
}

impl Registry {
    /// A folder of this machine with a version, after every sum was computed again. What lies in a store is fetched once, into
    /// `versions/ID` below `cache`, where it appears when it is whole; `told` is called before each file that is fetched.
    ///
    /// # Errors
    /// A file is missing or not what was added, and is named; or the cache cannot be written.
    pub fn verified_folder(
        &self,
        id: &VersionId,
        cache: &Path,
        told: &mut dyn FnMut(Fetching<'_>),
    ) -> Result<PathBuf, RegistryError> {
        if let Some(folder) = self.version_place(id).as_path() {
            self.check(id)?;
            return Ok(folder.to_owned());
        }
        let versions = cache.join("versions");
        let folder = versions.join(id.as_str());
        if is_whole(&folder, id) {
            return Ok(folder);
        }
        fs::create_dir_all(&versions).map_err(io_at(&versions))?;
        files::remove_unfinished(&versions, LEFTOVER_AGE);
        let contents = self.contents(id)?;
        let beside = files::unfinished_folder(&versions)?;
        let (mut done, total) = (0, contents.size());
        for (file, sum) in &contents.files {
            told(Fetching { file, done, total });
            self.take_out(id, file, sum, &beside.path().join(file))?;
            done += sum.size;
        }
        let manifest = beside.path().join(MANIFEST_FILE);
        files::write_read_only(&manifest, |file| file.write_all(&contents.bytes).map_err(io_at(&manifest)))?;
        files::sync(beside.path()).map_err(io_at(beside.path()))?;
        if folder.exists() && !is_whole(&folder, id) {
            fs::remove_dir_all(&folder).map_err(io_at(&folder))?;
        }
        match fs::rename(beside.path(), &folder) {
            Ok(()) => files::sync(&versions).map_err(io_at(&versions))?,
            // Another process was faster.
            Err(_) if is_whole(&folder, id) => {}
            Err(error) => return Err(io_at(&folder)(error)),
        }
        Ok(folder)
    }

    /// Copies a file of a version to a new one that nobody may write to.
    pub(super) fn take_out(&self, id: &VersionId, name: &str, sum: &FileSum, to: &Path) -> Result<(), RegistryError> {
        files::write_read_only(to, |file| self.copy_file(id, name, sum, file))
    }
}

fn is_whole(folder: &Path, id: &VersionId) -> bool {
    Contents::verify(folder, Some(id)).is_ok()
}
