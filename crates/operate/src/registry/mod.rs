//! Versions of a model in a folder or in an object store: immutable bundles by content hash, their lineage, which of them is
//! live, and how it came to be.
//!
//! ```text
//! nomen-registry.json      the format of the registry
//! versions/ID/             a bundle; ID is the SHA-256 of its nomen.json, which holds the sums of its other files
//! gates/SHA256.json        reports of gates
//! history/00000001.json    one event a file, numbered without a gap, each with the sum of the one before
//! writer.lock              held by whoever writes, in a folder
//! ```
//!
//! The events are the only truth; [`State`] is what they add up to. An event is put into its place in one step that replaces
//! nothing: in a folder by a rename of a synced file, in a store by a `PUT` with `If-None-Match: *`. So at every instant, whatever
//! dies, there is one state and at most one live version, and of two writers at once one sees what the other did and decides
//! anew. A bundle is whole in its place before an event names it: in a folder it is renamed into it, in a store its manifest is
//! put last. Nothing is ever changed or removed, but for what a killed writer left half done.
//!
//! The rules stand here once; only where bytes lie differs, and that is in `objects`.

mod bundle;
mod card;
mod error;
mod event;
mod fetch;
mod files;
mod history;
mod hub;
mod id;
mod objects;
mod place;
mod promotion;
mod receive;
mod state;
mod verify;

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

pub use bundle::{Contents, FileSum, MANIFEST_FILE};
pub use card::{CARD_FILE, Card};
pub use error::RegistryError;
pub use event::{Event, What};
pub use fetch::Fetching;
pub use hub::{Pushed, Repository, RepositoryError, pull, push, push_folder};
pub use id::{VersionId, VersionName, VersionNameError};
pub use objects::{Access, Patience};
use objects::{Bucket, Folder, LOCK_FILE, Objects};
pub use place::{Place, StoreUrl, StoreUrlError};
pub use promotion::{Promoted, Promotion};
pub use receive::{Added, Addition};
pub use state::{Gated, Stage, State, Version};
pub use verify::Problem;

/// The file that makes a folder a registry.
pub const MARKER_FILE: &str = "nomen-registry.json";

/// The format that this build writes; a newer one is refused.
const FORMAT: u32 = 1;

/// How long a writer decides anew because others were faster.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct Marker {
    format: u32,
}

impl Marker {
    fn bytes() -> Vec<u8> {
        files::pretty(&Self { format: FORMAT })
    }
}

/// A place with versions.
#[derive(Debug, Clone)]
pub struct Registry {
    objects: Arc<dyn Objects>,
}

impl Registry {
    /// Whether a folder is a registry.
    pub fn is_at(root: &Path) -> bool {
        root.join(MARKER_FILE).is_file()
    }

    /// Opens a registry; a store is reached by `access`.
    ///
    /// # Errors
    /// There is none at this place, it is of a newer format, or the store cannot be reached.
    pub fn open(place: impl Into<Place>, access: &Access) -> Result<Self, RegistryError> {
        let registry = Self::at(place.into(), access)?;
        registry.check_format()?;
        Ok(registry)
    }

    /// Opens a registry, making it where there is nothing or an empty folder.
    ///
    /// # Errors
    /// The place holds something else, cannot be written, or as [`Registry::open`].
    pub fn open_or_create(place: impl Into<Place>, access: &Access) -> Result<Self, RegistryError> {
        let registry = Self::at(place.into(), access)?;
        match registry.check_format() {
            Err(RegistryError::NoRegistry(_)) => {}
            result => return result.map(|()| registry),
        }
        if registry.objects.names("")?.iter().any(|name| name != MARKER_FILE && name != LOCK_FILE) {
            return Err(RegistryError::Occupied(registry.place()));
        }
        {
            let _writing = registry.objects.begin(&Marker::bytes())?;
            // Where it is taken, another process was faster.
            registry.objects.create(MARKER_FILE, &Marker::bytes())?;
        }
        registry.check_format()?;
        Ok(registry)
    }

    fn at(place: Place, access: &Access) -> Result<Self, RegistryError> {
        Ok(Self {
            objects: match place {
                Place::Path(root) => Arc::new(Folder::new(root)),
                Place::Store(url) => Arc::new(Bucket::new(url, access)?),
            },
        })
    }

    fn check_format(&self) -> Result<(), RegistryError> {
        let bytes = self.objects.read(MARKER_FILE)?.ok_or_else(|| RegistryError::NoRegistry(self.place()))?;
        let damaged = |problem: String| RegistryError::Damaged { path: self.objects.place(MARKER_FILE), problem };
        let Marker { format } = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if format != FORMAT {
            return Err(damaged(format!(
                "the registry has format {format}, this nomen knows {FORMAT}; use the nomen that wrote it"
            )));
        }
        Ok(())
    }

    /// Where it lies.
    pub fn place(&self) -> Place {
        self.objects.place("")
    }

    /// Where a version's bundle lies.
    pub fn version_place(&self, id: &VersionId) -> Place {
        self.objects.place(&version_name(id))
    }

    /// Where the report of a gate lies.
    pub fn gate_place(&self, gated: &Gated) -> Place {
        self.objects.place(&gate_name(&gated.report))
    }

    /// What its events add up to.
    ///
    /// # Errors
    /// An event is missing, damaged, or contradicts those before it; the file is named.
    pub fn state(&self) -> Result<State, RegistryError> {
        State::of(&history::read(&*self.objects)?)
    }

    /// Its events, the oldest first.
    ///
    /// # Errors
    /// As [`Registry::state`].
    pub fn events(&self) -> Result<Vec<Event>, RegistryError> {
        Ok(history::read(&*self.objects)?.into_iter().map(|read| read.event).collect())
    }

    /// What a version's manifest says; its other files are not looked at.
    ///
    /// # Errors
    /// The manifest is missing or not that of the version.
    pub fn contents(&self, id: &VersionId) -> Result<Contents, RegistryError> {
        let name = format!("{}/{MANIFEST_FILE}", version_name(id));
        let path = self.objects.place(&name);
        let contents = Contents::parse(self.objects.read(&name)?, &path)?;
        contents.check_id(&path, Some(id))?;
        Ok(contents)
    }

    /// Sums every file of a version again, where it lies.
    ///
    /// # Errors
    /// A file is missing or not what was added; it is named.
    pub fn check(&self, id: &VersionId) -> Result<(), RegistryError> {
        for (name, sum) in &self.contents(id)?.files {
            self.copy_file(id, name, sum, &mut io::sink())?;
        }
        Ok(())
    }

    /// Copies a file of a version and compares it on the way.
    fn copy_file(&self, id: &VersionId, name: &str, sum: &FileSum, to: &mut dyn Write) -> Result<(), RegistryError> {
        let name = format!("{}/{name}", version_name(id));
        sum.compare(&self.objects.copy_out(&name, to)?, || self.objects.place(&name))
    }

    /// The report of a gate, as it was given.
    ///
    /// # Errors
    /// The file is missing or was changed.
    pub fn gate_report(&self, gated: &Gated) -> Result<Vec<u8>, RegistryError> {
        let name = gate_name(&gated.report);
        let damaged =
            |problem: &str| RegistryError::Damaged { path: self.objects.place(&name), problem: problem.to_owned() };
        let bytes =
            self.objects.read(&name)?.ok_or_else(|| damaged("the report is missing; restore it from a copy"))?;
        if files::sum(&bytes) == gated.report {
            return Ok(bytes);
        }
        Err(damaged("the report is not the one that was recorded"))
    }

    /// Decides on the events as they are and writes what follows; anew where another writer was faster.
    fn write<T>(
        &self,
        mut decide: impl FnMut(&mut Vec<history::Read>) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let _writing = self.objects.begin(&Marker::bytes())?;
        let begun = Instant::now();
        loop {
            match decide(&mut history::read(&*self.objects)?) {
                Err(RegistryError::Overtaken(_)) if begun.elapsed() < PATIENCE => {}
                decided => return decided,
            }
        }
    }
}

fn version_name(id: &VersionId) -> String {
    format!("versions/{id}")
}

fn gate_name(report: &str) -> String {
    format!("gates/{report}.json")
}
