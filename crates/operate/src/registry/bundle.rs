//! What a bundle says of itself, and whether it is true.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Component, Path},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Place, RegistryError, VersionId, files, files::io_at};

/// Name of a bundle's manifest.
pub const MANIFEST_FILE: &str = "nomen.json";

/// Length and sum of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// A bundle's manifest: who it is, and what files belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The sum of the manifest.
    pub id: VersionId,
    /// All of the manifest.
    pub manifest: Value,
    /// Every other file.
    pub files: BTreeMap<String, FileSum>,
    /// The manifest, byte by byte.
    pub(super) bytes: Vec<u8>,
}

impl Contents {
    /// Reads the manifest of a bundle; its other files are not looked at.
    ///
    /// # Errors
    /// It is missing, malformed, lists no files, or names files outside of the folder.
    pub fn read(folder: &Path) -> Result<Self, RegistryError> {
        let path = folder.join(MANIFEST_FILE);
        let bytes = files::read(&path)?;
        Self::parse(bytes, &path.into())
    }

    /// What a manifest says that lies at this place; `None` where none does.
    pub(super) fn parse(bytes: Option<Vec<u8>>, path: &Place) -> Result<Self, RegistryError> {
        let damaged = |problem: String| RegistryError::Damaged { path: path.clone(), problem };
        let bytes = bytes.ok_or_else(|| damaged("there is no such file".to_owned()))?;
        let manifest: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let files = manifest.get("files").cloned().unwrap_or_default();
        let files: BTreeMap<String, FileSum> =
            serde_json::from_value(files).map_err(|error| damaged(format!("files: {error}")))?;
        if files.is_empty() {
            return Err(damaged("files: expected the sums of the bundle's files, found none".to_owned()));
        }
        if let Some(name) = files.keys().find(|name| !is_plain(name) || *name == MANIFEST_FILE) {
            return Err(damaged(format!("files: expected names of files in this folder, found {name:?}")));
        }
        let id = VersionId::of(&bytes);
        Ok(Self { id, manifest, files, bytes })
    }

    /// Reads the manifest and sums every file again.
    ///
    /// # Errors
    /// As [`Contents::read`]; or a file has another sum or length, the first of them is named; or the manifest is not that of
    /// the version `expected`.
    pub fn verify(folder: &Path, expected: Option<&VersionId>) -> Result<Self, RegistryError> {
        let contents = Self::read(folder)?;
        contents.check_id(&folder.join(MANIFEST_FILE).into(), expected)?;
        for (name, file) in &contents.files {
            file.copy(&folder.join(name), io::sink())?;
        }
        Ok(contents)
    }

    /// Whether this is the expected version; `path` is where the manifest lies.
    pub(super) fn check_id(&self, path: &Place, expected: Option<&VersionId>) -> Result<(), RegistryError> {
        match expected {
            Some(expected) if *expected != self.id => Err(RegistryError::Damaged {
                path: path.clone(),
                problem: format!("expected the version {expected}, found {}", self.id),
            }),
            _ => Ok(()),
        }
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.values().map(|file| file.size).sum::<u64>() + self.bytes.len() as u64
    }
}

impl FileSum {
    /// Length and sum of a file, which is written to `copy` on the way.
    pub(super) fn of(path: &Path, copy: impl io::Write) -> Result<Self, RegistryError> {
        let summed = || files::summed(File::open(path)?, copy);
        let (size, sha256) = summed().map_err(io_at(path))?;
        Ok(Self { size, sha256 })
    }

    /// Writes the file to `copy` and compares it on the way.
    pub(super) fn copy(&self, path: &Path, copy: impl io::Write) -> Result<(), RegistryError> {
        self.compare(&Self::of(path, copy)?, || path.into())
    }

    /// Whether what was found at a place is what was expected.
    pub(super) fn compare(&self, found: &Self, path: impl FnOnce() -> Place) -> Result<(), RegistryError> {
        if self == found {
            return Ok(());
        }
        let problem = format!(
            "expected {} bytes with the SHA-256 {}, found {} with {}; the file is damaged or was changed",
            self.size, self.sha256, found.size, found.sha256
        );
        Err(RegistryError::Damaged { path: path(), problem })
    }
}

/// Whether a name is that of a file in the folder itself.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.contains(['/', '\\', '\0'])
}
