//! Everything that is wrong with a registry.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{MANIFEST_FILE, Place, Registry, RegistryError, VersionId, gate_name};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file or folder.
    pub path: Place,
    /// What was expected and what was found.
    pub problem: String,
}

impl Registry {
    /// Sums every file of every version again, reads all events and all reports of gates, and looks for what does not belong
    /// there. Empty where all is well.
    ///
    /// # Errors
    /// A folder cannot be listed, or the store cannot be reached.
    pub fn verify(&self) -> Result<Vec<Problem>, RegistryError> {
        let mut problems = Vec::new();
        let mut known = BTreeSet::new();
        match self.state() {
            Err(error) => problems.push(told(error, || self.objects.place("history"))?),
            Ok(state) => {
                for version in state.versions() {
                    known.insert(version.id.to_string());
                    for gated in &version.gates {
                        if let Err(error) = self.gate_report(gated) {
                            problems.push(told(error, || self.objects.place(&gate_name(&gated.report)))?);
                        }
                    }
                }
            }
        }
        let is_whole = problems.is_empty() || !known.is_empty();
        for name in self.objects.names("versions")? {
            let path = self.objects.place(&format!("versions/{name}"));
            let is_listed = known.remove(&name);
            let Some(id) = VersionId::new(name) else {
                problems.push(Problem { path, problem: "is no version; take it out of the folder".to_owned() });
                continue;
            };
            if is_whole && !is_listed {
                // A writer died between the copy and the event: adding the bundle again takes this one up.
                let problem = "was never added; add the bundle again, or remove the folder".to_owned();
                problems.push(Problem { path, problem });
                // In a store the manifest comes last, and the writer may have died before it.
                if !self.objects.names(&super::version_name(&id))?.iter().any(|name| name == MANIFEST_FILE) {
                    continue;
                }
            }
            self.check_all(&id, &mut problems)?;
        }
        for id in known {
            let problem = "the version is missing; restore it from a copy".to_owned();
            problems.push(Problem { path: self.objects.place(&format!("versions/{id}")), problem });
        }
        Ok(problems)
    }

    /// Notes every file of a version that is not what the manifest says.
    fn check_all(&self, id: &VersionId, problems: &mut Vec<Problem>) -> Result<(), RegistryError> {
        let folder = super::version_name(id);
        let contents = match self.contents(id) {
            Ok(contents) => contents,
            Err(error) => {
                problems.push(told(error, || self.objects.place(&folder))?);
                return Ok(());
            }
        };
        for (name, sum) in &contents.files {
            if let Err(error) = self.copy_file(id, name, sum, &mut std::io::sink()) {
                problems.push(told(error, || self.objects.place(&format!("{folder}/{name}")))?);
            }
        }
        for name in self.objects.names(&folder)? {
            if name != MANIFEST_FILE && !contents.files.contains_key(&name) {
                let problem = "does not belong to the version; take it out of the folder".to_owned();
                problems.push(Problem { path: self.objects.place(&format!("{folder}/{name}")), problem });
            }
        }
        Ok(())
    }
}

/// Where and what. A store that does not answer says nothing about what lies in it.
fn told(error: RegistryError, otherwise: impl FnOnce() -> Place) -> Result<Problem, RegistryError> {
    let (path, problem) = match error {
        RegistryError::Io { path, error } => (path.into(), error.to_string()),
        RegistryError::Damaged { path, problem } => (path, problem),
        RegistryError::Event { path, error } => (path, error.to_string()),
        RegistryError::Store { .. } => return Err(error),
        other => (otherwise(), other.to_string()),
    };
    Ok(Problem { path, problem })
}
