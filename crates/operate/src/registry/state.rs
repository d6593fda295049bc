//! What the events add up to.

use std::fmt;

use serde::Serialize;

use super::{Event, Place, RegistryError, VersionId, VersionName, What, event::EventError, history::Read};

/// All versions, and which of them is live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    versions: Vec<Version>,
    /// Places of the live version and, below it, of those that it goes back to.
    live: Vec<usize>,
}

/// A version and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Its place among those that were added, from 1.
    pub number: usize,
    /// The sum of its manifest.
    pub id: VersionId,
    /// Where it stands.
    pub stage: Stage,
    /// When it was added: seconds since 1970, UTC.
    pub added: u64,
    /// The version that it was made from, where that is known.
    pub parent: Option<VersionId>,
    /// Where it came from, in words.
    pub source: String,
    /// What whoever added it says of it.
    pub note: Option<String>,
    /// The gates that judged it, the last one last.
    pub gates: Vec<Gated>,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Came in and was never live.
    Candidate,
    /// The one that serves.
    Live,
    /// Was live or is given up; still there.
    Archived,
}

/// A gate that judged a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gated {
    /// SHA-256 of its report.
    pub report: String,
    /// Whether the version passed.
    pub passed: bool,
    /// The version that it was judged against.
    pub against: VersionId,
    /// When it was recorded: seconds since 1970, UTC.
    pub at: u64,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Candidate => "candidate",
            Self::Live => "live",
            Self::Archived => "archived",
        })
    }
}

impl State {
    pub(super) fn of(events: &[Read]) -> Result<Self, RegistryError> {
        let mut state = Self::default();
        for Read { event, path, .. } in events {
            state.follow(event).map_err(|error| RegistryError::Event { path: path.clone(), error })?;
        }
        Ok(state)
    }

    /// Takes one more event into account.
    ///
    /// # Errors
    /// It contradicts the state; then nothing changes.
    pub fn follow(&mut self, event: &Event) -> Result<(), EventError> {
        let id = &event.version;
        let place = self.versions.iter().position(|version| version.id == *id);
        if let What::Added { parent, source, note } = &event.what {
            if place.is_some() {
                return Err(EventError::AddedTwice(id.clone()));
            }
            self.versions.push(Version {
                number: self.versions.len() + 1,
                id: id.clone(),
                stage: Stage::Candidate,
                added: event.at,
                parent: parent.clone(),
                source: source.clone(),
                note: note.clone(),
                gates: Vec::new(),
            });
            return Ok(());
        }
        let place = place.ok_or_else(|| EventError::NeverAdded(id.clone()))?;
        match &event.what {
            What::Added { .. } => {}
            What::Gated { report, passed, against } => {
                let gated = Gated { report: report.clone(), passed: *passed, against: against.clone(), at: event.at };
                self.versions[place].gates.push(gated);
            }
            What::Promoted { from, .. } => {
                self.check_live(from.as_ref())?;
                self.retire();
                // One that was live before leaves its old place: the way back never leads to the same version twice.
                self.live.retain(|known| *known != place);
                self.live.push(place);
                self.versions[place].stage = Stage::Live;
            }
            What::RolledBack { from, .. } => {
                self.check_live(Some(from))?;
                let below = self.live.iter().rev().skip(1).any(|known| *known == place);
                if !below {
                    return Err(EventError::NotBefore(id.clone()));
                }
                self.retire();
                while self.live.last().is_some_and(|top| *top != place) {
                    self.live.pop();
                }
                self.versions[place].stage = Stage::Live;
            }
            What::Archived { .. } => {
                if self.versions[place].stage == Stage::Live {
                    return Err(EventError::ArchivedLive(id.clone()));
                }
                self.versions[place].stage = Stage::Archived;
            }
        }
        Ok(())
    }

    fn retire(&mut self) {
        if let Some(top) = self.live.last() {
            self.versions[*top].stage = Stage::Archived;
        }
    }

    fn check_live(&self, told: Option<&VersionId>) -> Result<(), EventError> {
        let found = self.live().map(|version| &version.id);
        if told == found {
            return Ok(());
        }
        let name = |id: Option<&VersionId>| id.map_or("none".to_owned(), ToString::to_string);
        Err(EventError::OtherLive { told: name(told), found: name(found) })
    }

    /// All versions in the order that they were added.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The live version.
    pub fn live(&self) -> Option<&Version> {
        self.live.last().map(|place| &self.versions[*place])
    }

    /// The versions that a rollback can go to, the nearest first.
    pub fn before_live(&self) -> impl Iterator<Item = &Version> {
        self.live.iter().rev().skip(1).map(|place| &self.versions[*place])
    }

    /// The version of this id.
    pub fn get(&self, id: &VersionId) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == *id)
    }

    /// The version of this name; `root` is where the registry lies, for the errors.
    ///
    /// # Errors
    /// There is none, or several.
    pub fn find(&self, name: &VersionName, root: &Place) -> Result<&Version, RegistryError> {
        let found: Vec<&Version> = match name {
            VersionName::Live => {
                return self.live().ok_or_else(|| RegistryError::NothingLive(root.clone()));
            }
            VersionName::Number(number) => self.versions.iter().filter(|version| version.number == *number).collect(),
            VersionName::Prefix(digits) => {
                self.versions.iter().filter(|version| version.id.as_str().starts_with(digits)).collect()
            }
        };
        let list = |versions: &mut dyn Iterator<Item = &Version>| {
            let names: Vec<String> =
                versions.map(|version| format!("v{} ({})", version.number, version.id.short())).collect();
            names.join(", ")
        };
        match found[..] {
            [version] => Ok(version),
            [] if self.versions.is_empty() => {
                Err(RegistryError::Unknown { name: name.clone(), known: "none".to_owned() })
            }
            [] => Err(RegistryError::Unknown { name: name.clone(), known: list(&mut self.versions.iter()) }),
            _ => Err(RegistryError::Ambiguous { name: name.clone(), found: list(&mut found.into_iter()) }),
        }
    }
}
