//! The events on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Event, RegistryError, VersionId, What,
    files::{self, Existing, io_at},
};

/// An event, its sum and its file.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub event: Event,
    pub sum: String,
    pub path: PathBuf,
}

/// A file of `history/`.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// SHA-256 of the event as it stands below, indented and ended.
    sum: String,
    event: Event,
}

/// All events in their order. Each must be what was written, and follow the one before it.
pub(super) fn read(folder: &Path) -> Result<Vec<Read>, RegistryError> {
    let mut events: Vec<Read> = Vec::new();
    for number in 1..=count(folder)? {
        let path = folder.join(name(number));
        let damaged = |problem: &str| {
            let problem = format!("{problem}; restore it from a copy, the versions are untouched");
            RegistryError::Damaged { path: path.clone(), problem }
        };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("the event is missing, but later ones are there"));
            }
            Err(error) => return Err(io_at(&path)(error)),
        };
        let sealed = serde_json::from_slice(&bytes).ok();
        let is_whole =
            |sealed: &Sealed| sealed.sum == files::sum(&files::pretty(&sealed.event)) && files::pretty(sealed) == bytes;
        let Some(Sealed { sum, event }) = sealed.filter(is_whole) else {
            return Err(damaged("the event was changed since it was written"));
        };
        if event.number != number || event.previous.as_ref() != events.last().map(|read| &read.sum) {
            return Err(damaged("the event does not follow the one before it"));
        }
        events.push(Read { event, sum, path });
    }
    Ok(events)
}

/// Number of the last event.
fn count(folder: &Path) -> Result<u64, RegistryError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(io_at(folder)(error)),
    };
    let mut last = 0;
    for entry in entries {
        let name = entry.map_err(io_at(folder))?.file_name().to_string_lossy().into_owned();
        if name.starts_with(files::UNFINISHED) {
            continue;
        }
        let number = name.strip_suffix(".json").and_then(|number| number.parse::<u64>().ok());
        let Some(number) = number.filter(|number| self::name(*number) == name) else {
            let problem = "is no event; take it out of the folder".to_owned();
            return Err(RegistryError::Damaged { path: folder.join(name), problem });
        };
        last = last.max(number);
    }
    Ok(last)
}

fn name(number: u64) -> String {
    format!("{number:08}.json")
}

/// Writes the event that follows `events`.
pub(super) fn append(
    folder: &Path,
    events: &mut Vec<Read>,
    at: u64,
    version: VersionId,
    what: What,
) -> Result<(), RegistryError> {
    fs::create_dir_all(folder).map_err(io_at(folder))?;
    let number = events.len() as u64 + 1;
    let event = Event { number, previous: events.last().map(|read| read.sum.clone()), at, version, what };
    let sum = files::sum(&files::pretty(&event));
    let sealed = Sealed { sum, event };
    files::write(folder, &name(number), &files::pretty(&sealed), Existing::Keep)?;
    let Sealed { sum, event } = sealed;
    events.push(Read { event, sum, path: folder.join(name(number)) });
    Ok(())
}
