//! The events as they are kept.

use serde::{Deserialize, Serialize};

use super::{
    Event, Place, RegistryError, VersionId, What, files,
    objects::{Creation, Objects},
};

const FOLDER: &str = "history";

/// An event, its sum and where it lies.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub event: Event,
    pub sum: String,
    pub path: Place,
}

/// A file of `history/`.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// SHA-256 of the event as it stands below, indented and ended.
    sum: String,
    event: Event,
}

/// All events in their order. Each must be what was written, and follow the one before it.
pub(super) fn read(objects: &dyn Objects) -> Result<Vec<Read>, RegistryError> {
    let mut events: Vec<Read> = Vec::new();
    let names: Vec<String> = (1..=count(objects)?).map(name).collect();
    for ((number, name), bytes) in (1..).zip(&names).zip(objects.read_all(&names)) {
        let path = objects.place(name);
        let damaged = |problem: &str| {
            let problem = format!("{problem}; restore it from a copy, the versions are untouched");
            RegistryError::Damaged { path: path.clone(), problem }
        };
        let bytes = bytes?.ok_or_else(|| damaged("the event is missing, but later ones are there"))?;
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
fn count(objects: &dyn Objects) -> Result<u64, RegistryError> {
    let mut last = 0;
    for found in objects.names(FOLDER)? {
        let found = format!("{FOLDER}/{found}");
        let number = found.rsplit('/').next().and_then(|name| name.strip_suffix(".json")?.parse::<u64>().ok());
        let Some(number) = number.filter(|number| name(*number) == found) else {
            let problem = "is no event; take it out of the folder".to_owned();
            return Err(RegistryError::Damaged { path: objects.place(&found), problem });
        };
        last = last.max(number);
    }
    Ok(last)
}

fn name(number: u64) -> String {
    format!("{FOLDER}/{number:08}.json")
}

/// Writes the event that follows `events`.
///
/// # Errors
/// It cannot be written, or another writer was faster ([`RegistryError::Overtaken`]).
pub(super) fn append(
    objects: &dyn Objects,
    events: &mut Vec<Read>,
    at: u64,
    version: VersionId,
    what: What,
) -> Result<(), RegistryError> {
    let number = events.len() as u64 + 1;
    let event = Event { number, previous: events.last().map(|read| read.sum.clone()), at, version, what };
    let sum = files::sum(&files::pretty(&event));
    let sealed = Sealed { sum, event };
    let path = objects.place(&name(number));
    if objects.create(&name(number), &files::pretty(&sealed))? == Creation::Taken {
        return Err(RegistryError::Overtaken(path));
    }
    let Sealed { sum, event } = sealed;
    events.push(Read { event, sum, path });
    Ok(())
}
