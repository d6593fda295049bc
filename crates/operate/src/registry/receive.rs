//! How a bundle gets into a registry.

use std::{fs, path::Path};

use serde::Serialize;
use serde_json::Value;

use super::{
    Contents, MANIFEST_FILE, Registry, RegistryError, State, VersionId, What, files::io_at, history, version_name,
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
        contents.check_id(&addition.bundle.join(MANIFEST_FILE).into(), addition.expected)?;
        let left_out = left_out(addition.bundle, &contents)?;
        let mut is_received = false;
        self.write(|events| {
            let state = State::of(events)?;
            let known = state.get(&contents.id);
            let parent = match addition.parent {
                Some(parent) if known.is_none() && state.get(parent).is_none() => {
                    return Err(RegistryError::Refused(format!("the parent {parent} is no version of this registry")));
                }
                Some(parent) => Some(parent.clone()),
                None if known.is_none() => self.parent_of(&contents, &state)?,
                None => None,
            };
            if !is_received {
                // Of a known version, too: a copy that was damaged since is mended, byte by byte the same or refused.
                self.receive(addition.bundle, &contents)?;
                is_received = true;
            }
            let added =
                |number, was_known| Added { id: contents.id.clone(), number, was_known, left_out: left_out.clone() };
            if let Some(known) = known {
                return Ok(added(known.number, true));
            }
            let what =
                What::Added { parent, source: addition.source.to_owned(), note: addition.note.map(str::to_owned) };
            history::append(&*self.objects, events, addition.at, contents.id.clone(), what)?;
            Ok(added(state.versions().len() + 1, false))
        })
    }

    fn receive(&self, bundle: &Path, contents: &Contents) -> Result<(), RegistryError> {
        match self.check(&contents.id) {
            // Known, or left by a writer that died before the event.
            Ok(()) => Ok(()),
            Err(refused @ RegistryError::Store { .. }) => Err(refused),
            Err(_) => self.objects.take_in(&version_name(&contents.id), bundle, contents),
        }
    }

    /// The version whose files the base of a bundle has. One whose manifest is damaged cannot be it.
    fn parent_of(&self, contents: &Contents, state: &State) -> Result<Option<VersionId>, RegistryError> {
        let base = contents.manifest.get("base").and_then(|base| base.get("files")?.as_object());
        let Some(base) = base else { return Ok(None) };
        for version in state.versions().iter().rev() {
            let known = match self.contents(&version.id) {
                Ok(known) => known,
                Err(error @ RegistryError::Store { .. }) => return Err(error),
                Err(_) => continue,
            };
            let weights = known.files.iter().filter(|(name, _)| name.ends_with(".safetensors"));
            let mut is_base = weights.map(|(name, file)| base.get(name).and_then(Value::as_str) == Some(&file.sha256));
            if is_base.next().is_some_and(|first| first && is_base.all(|next| next)) {
                return Ok(Some(known.id));
            }
        }
        Ok(None)
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
