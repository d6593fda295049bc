//! What was done so far, beside the output: a run that was ended at any point goes on from here.
//!
//! `OUT.part` holds the rows, `OUT.state` a line for everything that was looked at, written after its row. What stands
//! in `OUT.part` behind the last line's length was being written when the run ended, and is written anew.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{CollectError, CollectOptions, Outcome, Source, item::Item, record};

const VERSION: u32 = 1;

/// The first line: what is collected, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    version: u32,
    pub(super) begun: String,
    pub(super) sources: Vec<Source>,
    all_text: bool,
    other_hosts: bool,
    include: Vec<String>,
}

impl Header {
    pub(super) fn new(sources: &[Source], options: &CollectOptions) -> Self {
        Self {
            version: VERSION,
            begun: record::now(),
            sources: sources.to_vec(),
            all_text: options.all_text,
            other_hosts: options.other_hosts,
            include: options.include.clone(),
        }
    }

    /// What of two headers would give other rows.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        let options = |header: &Self| (header.all_text, header.other_hosts, header.include.clone());
        if self.sources != other.sources {
            Some("sources")
        } else if self.version != other.version || options(self) != options(other) {
            Some("options")
        } else {
            None
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) source: String,
    pub(super) outcome: Outcome,
    /// What is to be looked at next, because it was found there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) found: Vec<Item>,
    /// Length of the rows up to here.
    bytes: u64,
}

/// The rows and the journal of one output.
#[derive(Debug)]
pub(super) struct Journal {
    out: PathBuf,
    part: PathBuf,
    state: PathBuf,
    rows: File,
    lines: File,
    bytes: u64,
    /// The rows have become the output: the run ended before it could remove its journal.
    complete: bool,
}

impl Journal {
    /// Opens the journal of an output; `replayed` gets the entries of earlier runs in their order. Gives back the
    /// header of the first of them.
    pub(super) fn open(
        out: &Path,
        header: Header,
        mut replayed: impl FnMut(Entry) -> Result<(), String>,
    ) -> Result<(Self, Header), CollectError> {
        let beside = |extension: &str| {
            let mut name = out.as_os_str().to_owned();
            name.push(extension);
            PathBuf::from(name)
        };
        let (part, state) = (beside(".part"), beside(".state"));
        let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
        let complete = is_there(out) && is_there(&state) && !is_there(&part);
        if is_there(out) && !complete {
            return Err(CollectError::Exists { path: out.to_owned() });
        }
        let open = |path: &Path| {
            let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            opened.map_err(CollectError::io(path))
        };
        let mut lines = open(&state)?;
        if matches!(lines.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(CollectError::InUse { path: out.to_owned() });
        }
        let mut rows = open(if complete { out } else { &part })?;
        let length = rows.metadata().map_err(CollectError::io(&part))?.len();

        let mut reader = BufReader::new(&mut lines);
        let (mut line, mut number, mut sound, mut bytes) = (String::new(), 0, 0, 0);
        let mut first: Option<Header> = None;
        loop {
            line.clear();
            number += 1;
            let read = reader.read_line(&mut line);
            // A line without its end was being written when the run ended.
            match read {
                Ok(_) if !line.ends_with('\n') => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => break,
                Err(error) => return Err(CollectError::io(&state)(error)),
            }
            let damaged = |problem: String| CollectError::Damaged {
                path: state.clone(),
                line: number,
                problem,
                part: part.clone(),
            };
            if first.is_none() {
                let found: Header = serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))?;
                if let Some(what) = found.differs(&header) {
                    return Err(CollectError::Other { path: out.to_owned(), what, part, journal: state });
                }
                first = Some(found);
            } else {
                let entry: Entry = serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))?;
                if entry.bytes > length {
                    // The rows did not reach the disk; they are collected again.
                    break;
                }
                bytes = entry.bytes;
                replayed(entry).map_err(damaged)?;
            }
            sound += line.len() as u64;
        }
        if complete && (first.is_none() || bytes != length) {
            // Some other file has taken the output's name.
            return Err(CollectError::Exists { path: out.to_owned() });
        }
        if !complete {
            cut(&mut lines, sound).map_err(CollectError::io(&state))?;
            cut(&mut rows, bytes).map_err(CollectError::io(&part))?;
        }
        let mut journal = Self { out: out.to_owned(), part, state, rows, lines, bytes, complete };
        let header = if let Some(first) = first {
            first
        } else {
            journal.line(&header)?;
            header
        };
        Ok((journal, header))
    }

    /// Nothing is to be added.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Notes what became of something, and adds its row.
    pub(super) fn add(
        &mut self,
        source: String,
        outcome: Outcome,
        found: Vec<Item>,
        row: &[u8],
    ) -> Result<Entry, CollectError> {
        self.rows.write_all(row).map_err(CollectError::io(&self.part))?;
        self.bytes += row.len() as u64;
        let entry = Entry { source, outcome, found, bytes: self.bytes };
        self.line(&entry)?;
        Ok(entry)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), CollectError> {
        let failed = CollectError::io(&self.state);
        let mut line = match serde_json::to_vec(value) {
            Ok(line) => line,
            Err(error) => return Err(failed(error.into())),
        };
        line.push(b'\n');
        self.lines.write_all(&line).map_err(failed)
    }

    /// Makes the rows durable and lets them appear as the output; without rows nothing is left.
    pub(super) fn finish(self) -> Result<(), CollectError> {
        if self.complete {
            // Only the journal is left.
        } else if self.bytes == 0 {
            fs::remove_file(&self.part).map_err(CollectError::io(&self.part))?;
        } else {
            self.rows.sync_all().map_err(CollectError::io(&self.part))?;
            fs::rename(&self.part, &self.out).map_err(CollectError::io(&self.out))?;
            let folder = match self.out.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(CollectError::io(folder))?;
        }
        fs::remove_file(&self.state).map_err(CollectError::io(&self.state))
    }
}

fn cut(file: &mut File, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length)).map(drop)
}
