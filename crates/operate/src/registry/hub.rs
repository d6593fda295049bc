//! Folders as the tools around transformers know them: a model folder with a card, and a hub's cache.
//!
//! A cache has a folder for each repository, `models--OWNER--NAME`, with the files under their sums in `blobs`, a folder of links
//! to them for each revision in `snapshots`, and the name of the newest revision in `refs/main`. What is written here is read by
//! `huggingface_hub.snapshot_download(..., local_files_only=True)` and by transformers' `from_pretrained`, both with
//! `cache_dir`; what they wrote is read back.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde::Serialize;
use thiserror::Error;

use super::{
    CARD_FILE, MANIFEST_FILE, Registry, RegistryError, VersionId,
    bundle::FileSum,
    files::{self, Existing, io_at},
};

/// Digits of a revision: as many as of a commit in git.
const REVISION: usize = 40;
/// The revision that is taken where none is named.
const MAIN: &str = "main";

/// The name of a model on a hub: `OWNER/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository(String);

/// A name that no hub would take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no name on a hub; expected OWNER/NAME of letters, digits, `-`, `_` and `.`, without `--` and `..`, not \
     beginning or ending with `-` or `.`"
)]
pub struct RepositoryError(String);

impl FromStr for Repository {
    type Err = RepositoryError;

    fn from_str(name: &str) -> Result<Self, RepositoryError> {
        let is_part = |part: &str| {
            let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !part.is_empty()
                && part.len() <= 96
                && part.bytes().all(is_known)
                && !part.starts_with(['-', '.'])
                && !part.ends_with(['-', '.'])
                && !part.contains("--")
                && !part.contains("..")
        };
        let parts: Vec<&str> = name.split('/').collect();
        match parts[..] {
            [owner, model] if is_part(owner) && is_part(model) => Ok(Self(name.to_owned())),
            _ => Err(RepositoryError(name.to_owned())),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Repository {
    fn folder(&self, cache: &Path) -> PathBuf {
        cache.join(format!("models--{}", self.0.replace('/', "--")))
    }
}

/// A version that was written for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// The version.
    pub version: VersionId,
    /// The folder of the model.
    pub folder: PathBuf,
    /// What to pin, where the folder is a cache: 40 hexadecimal digits, made of the names and sums of all files.
    pub revision: Option<String>,
}

/// Writes a version with its card as a model folder, which appears when it is whole.
///
/// # Errors
/// The version is damaged, or the folder holds something already or cannot be written.
pub fn push_folder(
    registry: &Registry,
    version: &VersionId,
    target: &Path,
    card: &str,
) -> Result<Pushed, RegistryError> {
    let is_free = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(RegistryError::Refused(format!(
            "{}: holds something already; name another folder",
            target.display()
        )));
    }
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(io_at(parent))?;
    let beside = files::unfinished_folder(parent)?;
    let contents = registry.contents(version)?;
    for (name, file) in &contents.files {
        registry.take_out(version, name, file, &beside.path().join(name))?;
    }
    for (name, bytes) in [(CARD_FILE, card.as_bytes()), (MANIFEST_FILE, &contents.bytes)] {
        files::write(beside.path(), name, bytes, Existing::Keep)?;
    }
    put(beside.path(), target, parent)?;
    Ok(Pushed { version: version.clone(), folder: target.to_owned(), revision: None })
}

/// Writes a version with its card into a hub's cache, as the newest revision of a repository. The revision is a function of
/// names and contents, so pushing the same twice changes nothing.
///
/// # Errors
/// The version is damaged, or the cache cannot be written.
pub fn push(
    registry: &Registry,
    version: &VersionId,
    cache: &Path,
    repository: &Repository,
    card: &str,
) -> Result<Pushed, RegistryError> {
    let contents = registry.contents(version)?;
    let folder = repository.folder(cache);
    let [blobs, snapshots, refs] = ["blobs", "snapshots", "refs"].map(|name| folder.join(name));
    for folder in [&blobs, &snapshots, &refs] {
        fs::create_dir_all(folder).map_err(io_at(folder))?;
        files::remove_unfinished(folder, Duration::ZERO);
    }
    let mut named: Vec<(&str, String)> = Vec::new();
    for (name, file) in &contents.files {
        let blob = blobs.join(&file.sha256);
        let is_there = blob.exists() && file.copy(&blob, io::sink()).is_ok();
        if !is_there {
            let beside = files::unfinished_folder(&blobs)?;
            let copy = beside.path().join(name);
            registry.take_out(version, name, file, &copy)?;
            fs::rename(&copy, &blob).map_err(io_at(&blob))?;
            files::sync(&blobs).map_err(io_at(&blobs))?;
        }
        named.push((name, file.sha256.clone()));
    }
    for (name, bytes) in [(CARD_FILE, card.as_bytes()), (MANIFEST_FILE, &contents.bytes)] {
        let sum = files::sum(bytes);
        files::write(&blobs, &sum, bytes, Existing::Replace)?;
        named.push((name, sum));
    }
    named.sort_unstable();
    let mut listing = files::Sum::default();
    for (name, sum) in &named {
        listing.update(format!("{sum}  {name}\n").as_bytes());
    }
    let revision: String = listing.finish().chars().take(REVISION).collect();

    let snapshot = snapshots.join(&revision);
    if !snapshot.exists() {
        let beside = files::unfinished_folder(&snapshots)?;
        for (name, sum) in &named {
            let link = beside.path().join(name);
            link_to(&Path::new("../../blobs").join(sum), &blobs.join(sum), &link).map_err(io_at(&link))?;
        }
        put(beside.path(), &snapshot, &snapshots)?;
    }
    files::write(&refs, MAIN, revision.as_bytes(), Existing::Replace)?;
    Ok(Pushed { version: version.clone(), folder: snapshot, revision: Some(revision) })
}

/// The folder of a model in a hub's cache, at a revision or branch (`main` where none is named), after every file was compared
/// with the sum that it is stored under. A hub's client stores large files under their SHA-256; small ones it stores under
/// git's name for them, and a bundle's manifest has their sums.
///
/// # Errors
/// The repository or revision is not in the cache, a file is damaged, or leads out of the repository.
pub fn pull(cache: &Path, repository: &Repository, revision: Option<&str>) -> Result<PathBuf, RegistryError> {
    let folder = repository.folder(cache);
    let named = revision.unwrap_or(MAIN);
    let missing =
        || RegistryError::Refused(format!("{}: {repository} is not there at the revision {named}", cache.display()));
    let is_plain =
        |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['\\', '\0']) && !name.contains("..");
    if !is_plain(named) {
        return Err(missing());
    }
    let snapshot = folder.join("snapshots").join(named);
    let snapshot = if snapshot.is_dir() && !named.contains('/') {
        snapshot
    } else {
        let revision = fs::read_to_string(folder.join("refs").join(named)).map_err(|_| missing())?;
        let revision = revision.trim();
        let snapshot = folder.join("snapshots").join(revision);
        if !is_plain(revision) || revision.contains('/') || !snapshot.is_dir() {
            return Err(missing());
        }
        snapshot
    };
    let inside = fs::canonicalize(&folder).map_err(io_at(&folder))?;
    for entry in fs::read_dir(&snapshot).map_err(io_at(&snapshot))? {
        let path = entry.map_err(io_at(&snapshot))?.path();
        let real = fs::canonicalize(&path).map_err(io_at(&path))?;
        if !real.starts_with(&inside) {
            let problem = format!("leads out of the repository, to {}", real.display());
            return Err(RegistryError::Damaged { path: path.into(), problem });
        }
        let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if real.is_file() && VersionId::new(name.as_str()).is_some() {
            let size = fs::metadata(&real).map_err(io_at(&real))?.len();
            FileSum { size, sha256: name }.copy(&path, io::sink())?;
        }
    }
    Ok(snapshot)
}

/// Puts a whole folder into its place, which is free.
fn put(beside: &Path, target: &Path, parent: &Path) -> Result<(), RegistryError> {
    files::sync(beside).map_err(io_at(beside))?;
    if target.is_dir() {
        // Empty, as the caller saw; a rename would need that, too.
        fs::remove_dir(target).map_err(io_at(target))?;
    }
    fs::rename(beside, target).map_err(io_at(target))?;
    files::sync(parent).map_err(io_at(parent))
}

#[cfg(unix)]
fn link_to(target: &Path, _blob: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Links need rights elsewhere; the tools read copies as well.
#[cfg(not(unix))]
fn link_to(_target: &Path, blob: &Path, link: &Path) -> io::Result<()> {
    fs::copy(blob, link).map(drop)
}
