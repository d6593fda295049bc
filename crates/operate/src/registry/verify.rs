//! Everything that is wrong with a registry.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde::Serialize;

use super::{Contents, MANIFEST_FILE, Registry, RegistryError, files};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// What was expected and what was found.
    pub problem: String,
}

impl Registry {
    /// Sums every file of every version again, reads all events and all reports of gates, and looks for what does not belong
    /// there. Empty where all is well.
    ///
    /// # Errors
    /// A folder cannot be listed.
    pub fn verify(&self) -> Result<Vec<Problem>, RegistryError> {
        let mut problems = Vec::new();
        let mut note = |path: PathBuf, problem: String| problems.push(Problem { path, problem });
        let mut known = BTreeSet::new();
        match self.state() {
            Err(error) => {
                let (path, problem) = told(error, self.history());
                note(path, problem);
            }
            Ok(state) => {
                for version in state.versions() {
                    known.insert(version.id.to_string());
                    for gated in &version.gates {
                        if let Err(error) = self.gate_report(gated) {
                            let (path, problem) = told(error, self.gates());
                            note(path, problem);
                        }
                    }
                }
            }
        }
        let is_whole = problems.is_empty() || !known.is_empty();
        for name in names(&self.versions())? {
            let folder = self.versions().join(&name);
            if name.starts_with(files::UNFINISHED) {
                continue;
            }
            let listed = known.remove(&name);
            let Some(id) = super::VersionId::new(name.as_str()) else {
                problems.push(Problem { path: folder, problem: "is no version; take it out of the folder".to_owned() });
                continue;
            };
            if is_whole && !listed {
                // A writer died between the copy and the event: adding the bundle again takes this one up.
                let problem = "was never added; add the bundle again, or remove the folder".to_owned();
                problems.push(Problem { path: folder.clone(), problem });
            }
            problems.extend(of_version(&folder, &id)?);
        }
        for id in known {
            let problem = "the version is missing; restore it from a copy".to_owned();
            problems.push(Problem { path: self.versions().join(id), problem });
        }
        Ok(problems)
    }
}

/// Every file of a version that is not what the manifest says.
fn of_version(folder: &std::path::Path, id: &super::VersionId) -> Result<Vec<Problem>, RegistryError> {
    let contents = Contents::read(folder).and_then(|contents| contents.check_id(folder, Some(id)).map(|()| contents));
    let contents = match contents {
        Ok(contents) => contents,
        Err(error) => {
            let (path, problem) = told(error, folder.to_owned());
            return Ok(vec![Problem { path, problem }]);
        }
    };
    let mut problems = Vec::new();
    for (name, file) in &contents.files {
        if let Err(error) = file.copy(&folder.join(name), std::io::sink()) {
            let (path, problem) = told(error, folder.join(name));
            problems.push(Problem { path, problem });
        }
    }
    for name in names(folder)? {
        if name != MANIFEST_FILE && !contents.files.contains_key(&name) {
            let problem = "does not belong to the version; take it out of the folder".to_owned();
            problems.push(Problem { path: folder.join(name), problem });
        }
    }
    Ok(problems)
}

fn names(folder: &std::path::Path) -> Result<Vec<String>, RegistryError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(files::io_at(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(files::io_at(folder))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Where and what.
fn told(error: RegistryError, otherwise: PathBuf) -> (PathBuf, String) {
    match error {
        RegistryError::Io { path, error } => (path, error.to_string()),
        RegistryError::Damaged { path, problem } => (path, problem),
        RegistryError::Event { path, error } => (path, error.to_string()),
        other => (otherwise, other.to_string()),
    }
}
