//! A registry in a folder: files are written beside their place and renamed into it, and writers take turns.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{Creation, Objects, Writing};
use crate::registry::{
    Contents, FileSum, MANIFEST_FILE, Place, RegistryError,
    files::{self, Existing, io_at},
};

/// Held by whoever writes.
pub(in crate::registry) const LOCK_FILE: &str = "writer.lock";

/// How long a writer waits for another.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(in crate::registry) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(in crate::registry) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        name.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |path, part| path.join(part))
    }

    /// The folder of a file, which is made where it is not there, and the file's own name.
    fn parent<'n>(&self, name: &'n str) -> Result<(PathBuf, &'n str), RegistryError> {
        let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
        let folder = self.path(folder);
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        Ok((folder, name))
    }
}

impl Objects for Folder {
    fn place(&self, name: &str) -> Place {
        self.path(name).into()
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, RegistryError> {
        let folder = self.path(folder);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_at(&folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(io_at(&folder))?.file_name().to_string_lossy().into_owned();
            if !name.starts_with(files::UNFINISHED) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        files::read(&self.path(name))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, RegistryError> {
        let (folder, name) = self.parent(name)?;
        match files::write(&folder, name, bytes, Existing::Keep) {
            Ok(()) => Ok(Creation::New),
            Err(RegistryError::Io { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Creation::Taken),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let (folder, name) = self.parent(name)?;
        files::write(&folder, name, bytes, Existing::Replace)
    }

    fn copy_out(&self, name: &str, to: &mut dyn Write) -> Result<FileSum, RegistryError> {
        let path = self.path(name);
        FileSum::of(&path, to)
    }

    fn take_in(&self, folder: &str, bundle: &Path, contents: &Contents) -> Result<(), RegistryError> {
        let (parent, name) = self.parent(folder)?;
        let target = parent.join(name);
        let beside = files::unfinished_folder(&parent)?;
        for (name, sum) in &contents.files {
            let copy = beside.path().join(name);
            files::write_read_only(&copy, |file| sum.copy(&bundle.join(name), file))?;
        }
        let manifest = beside.path().join(MANIFEST_FILE);
        files::write_read_only(&manifest, |file| file.write_all(&contents.bytes).map_err(io_at(&manifest)))?;
        files::sync(beside.path()).map_err(io_at(beside.path()))?;
        if target.exists() {
            fs::remove_dir_all(&target).map_err(io_at(&target))?;
        }
        fs::rename(beside.path(), &target).map_err(io_at(&target))?;
        files::sync(&parent).map_err(io_at(&parent))
    }

    /// Also clears away what killed writers left half done.
    fn begin(&self, _marker: &[u8]) -> Result<Writing, RegistryError> {
        let (_, name) = self.parent(LOCK_FILE)?;
        let path = self.path(name);
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => return Err(RegistryError::Locked(self.place(""))),
                Err(TryLockError::Error(error)) => return Err(io_at(&path)(error)),
            }
        }
        for folder in ["", "versions", "gates", "history"] {
            files::remove_unfinished(&self.path(folder), Duration::ZERO);
        }
        Ok(Writing { _lock: Some(lock) })
    }
}
