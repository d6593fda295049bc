//! How a bundle gets into a registry.

use std::{
    fs::{self, File},
    path::Path,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    Contents, MANIFEST_FILE, Registry, RegistryError, State, VersionId, What, bundle::FileSum, files, files::io_at,
    history,
};

/// A bundle that is to become a version.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// The bundle's folder.
    pub bundle: &'a Path,
    /// Where it comes from, in words.
    pub source: &'a str,
    /// The version that it was made from; found by the sums of its base where it is not told.
    pub parent: Option<&'a VersionId>,
    /// What to remember of it.
    pub note: Option<&'a str>,
    /// The version that it has to be.
    pub expected: Option<&'a VersionId>,
    /// Now: seconds since 1970, UTC.
    pub at: u64,
}

/// A version that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// Its id.
    pub id: VersionId,
    /// Its place among those that were added, from 1.
    pub number: usize,
    /// Whether it was there before.
    pub was_known: bool,
    /// Files of the folder that do not belong to the bundle and were left out.
    pub left_out: Vec<String>,
}

impl Registry {
    /// Copies a bundle into the registry. Every file is summed as it is copied, so what is in the registry is what its
    /// manifest says, or the bundle is refused.
    ///
    /// # Errors
    /// The bundle has no manifest or is not what the manifest says, is not the expected one, names a parent that is not there,
    /// or cannot be copied.
    pub fn add(&self, addition: &Addition<'_>) -> Result<Added, RegistryError> {
        let contents = Contents::read(addition.bundle)?;
        contents.check_id(addition.bundle, addition.expected)?;
        let _writing = self.lock()?;
        let mut events = history::read(&self.history())?;
        let state = State::of(&events)?;
        let left_out = left_out(addition.bundle, &contents)?;
        if let Some(known) = state.get(&contents.id) {
            // A copy that was damaged since is mended: it is the same version byte by byte, or it is refused.
            self.receive(addition.bundle, &contents)?;
            return Ok(Added { id: contents.id.clone(), number: known.number, was_known: true, left_out });
        }
        let parent = match addition.parent {
            Some(parent) if state.get(parent).is_none() => {
                return Err(RegistryError::Refused(format!("the parent {parent} is no version of this registry")));
            }
            Some(parent) => Some(parent.clone()),
            None => self.parent_of(&contents, &state),
        };
        self.receive(addition.bundle, &contents)?;
        let what = What::Added { parent, source: addition.source.to_owned(), note: addition.note.map(str::to_owned) };
        history::append(&self.history(), &mut events, addition.at, contents.id.clone(), what)?;
        let number = state.versions().len() + 1;
        Ok(Added { id: contents.id, number, was_known: false, left_out })
    }

    fn receive(&self, bundle: &Path, contents: &Contents) -> Result<(), RegistryError> {
        let versions = self.versions();
        fs::create_dir_all(&versions).map_err(io_at(&versions))?;
        let target = self.folder(&contents.id);
        // Known, or left by a writer that died before the event.
        if target.exists() && Contents::verify(&target, Some(&contents.id)).is_ok() {
            return Ok(());
        }
        let beside = files::unfinished_folder(&versions)?;
        for (name, file) in &contents.files {
            copy(&bundle.join(name), &beside.path().join(name), file)?;
        }
        let manifest = beside.path().join(MANIFEST_FILE);
        write_read_only(&manifest, |file| std::io::Write::write_all(file, &contents.bytes))
            .map_err(io_at(&manifest))?;
        files::sync(beside.path()).map_err(io_at(beside.path()))?;
        if target.exists() {
            fs::remove_dir_all(&target).map_err(io_at(&target))?;
        }
        fs::rename(beside.path(), &target).map_err(io_at(&target))?;
        files::sync(&versions).map_err(io_at(&versions))
    }

    /// The version whose files the base of a bundle has.
    fn parent_of(&self, contents: &Contents, state: &State) -> Option<VersionId> {
        let base = contents.manifest.get("base")?.get("files")?.as_object()?;
        let is_base = |known: &Contents| {
            let weights = known.files.iter().filter(|(name, _)| name.ends_with(".safetensors"));
            let mut found = weights.map(|(name, file)| base.get(name).and_then(Value::as_str) == Some(&file.sha256));
            found.next().is_some_and(|first| first && found.all(|next| next))
        };
        let known = state.versions().iter().rev();
        known.filter_map(|version| Contents::read(&self.folder(&version.id)).ok()).find(is_base).map(|known| known.id)
    }
}

/// Files that the manifest does not name.
fn left_out(bundle: &Path, contents: &Contents) -> Result<Vec<String>, RegistryError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(bundle).map_err(io_at(bundle))? {
        let name = entry.map_err(io_at(bundle))?.file_name().to_string_lossy().into_owned();
        if name != MANIFEST_FILE && !contents.files.contains_key(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Copies a file whose sum is known, waits until it is on disk and takes the right to write to it away.
pub(super) fn copy(from: &Path, to: &Path, sum: &FileSum) -> Result<(), RegistryError> {
    let mut refused = None;
    let written = write_read_only(to, |file| match sum.copy(from, file) {
        Err(RegistryError::Io { error, .. }) => Err(error),
        Err(error) => {
            refused = Some(error);
            Ok(())
        }
        Ok(()) => Ok(()),
    });
    match refused {
        Some(error) => Err(error),
        None => written.map_err(io_at(from)),
    }
}

pub(super) fn write_read_only(
    path: &Path,
    write: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    write(&mut file)?;
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions)?;
    file.sync_all()
}
