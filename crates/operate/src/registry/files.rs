//! Files that appear whole, and their sums.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    path::Path,
    time::Duration,
};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::{Builder, TempDir};

use super::{RegistryError, objects::LONGEST};

/// How names begin that belong to nothing yet.
pub(super) const UNFINISHED: &str = ".unfinished-";

/// What becomes of a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and that is an error.
    Keep,
    /// It is replaced in one step.
    Replace,
}

pub(super) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> RegistryError {
    let path = path.to_owned();
    |error| RegistryError::Io { path, error }
}

/// Writes a file beside its place, waits until it is on disk, and renames it into place.
pub(super) fn write(folder: &Path, name: &str, bytes: &[u8], existing: Existing) -> Result<(), RegistryError> {
    let path = folder.join(name);
    let written = || {
        let mut builder = Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match existing {
            Existing::Keep => file.persist_noclobber(&path),
            Existing::Replace => file.persist(&path),
        }?;
        sync(folder)
    };
    written().map_err(io_at(&path))
}

/// An empty folder that is gone with the value, unless it was renamed.
pub(super) fn unfinished_folder(parent: &Path) -> Result<TempDir, RegistryError> {
    let mut builder = Builder::new();
    builder.prefix(UNFINISHED);
    // Others may read a model: a folder like any that the user makes.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(parent).map_err(io_at(parent))
}

/// Waits until a folder's names are on disk.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes what a killed process left and nobody has touched for so long. What cannot be removed costs room, nothing else.
pub(super) fn remove_unfinished(folder: &Path, untouched: Duration) {
    let age = |metadata: Metadata| metadata.modified().ok()?.elapsed().ok();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        let is_left = untouched.is_zero() || entry.metadata().ok().and_then(age).is_some_and(|age| age > untouched);
        if is_left {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

/// A SHA-256 that grows.
#[derive(Default)]
pub(super) struct Sum(Sha256);

impl Sum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// In lower-case hexadecimal.
    pub(super) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file of at most [`LONGEST`] bytes; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, RegistryError> {
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_at(path)(error)),
    };
    if size > LONGEST {
        let problem = format!("has {size} bytes, expected at most {LONGEST}");
        return Err(RegistryError::Damaged { path: path.into(), problem });
    }
    fs::read(path).map(Some).map_err(io_at(path))
}

/// Writes a new file, waits until it is on disk and takes the right to write to it away.
pub(super) fn write_read_only(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), RegistryError>,
) -> Result<(), RegistryError> {
    let mut file = File::create(path).map_err(io_at(path))?;
    write(&mut file)?;
    let seal = || {
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        file.set_permissions(permissions)?;
        file.sync_all()
    };
    seal().map_err(io_at(path))
}

/// Length and sum of what is read, which is written to `copy` on the way.
pub(super) fn summed(mut from: impl Read, mut copy: impl Write) -> io::Result<(u64, String)> {
    let (mut sum, mut length) = (Sum::default(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sum.update(&buffer[..read]);
        copy.write_all(&buffer[..read])?;
        length += read as u64;
    }
    Ok((length, sum.finish()))
}

/// Indented JSON with a line end.
pub(super) fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("values without maps of other keys than text serialize");
    bytes.push(b'\n');
    bytes
}
