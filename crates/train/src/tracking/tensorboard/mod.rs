//! Event files for TensorBoard, in `tensorboard/` of the run: `tensorboard --logdir RUNS` shows them.

mod crc;
mod event;

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Destination, FOLDER, Leaving, Moment, Record, TrackError, Tracker,
    cursor::{self, Cursor},
};

/// The file that says how far the event file goes.
const STATE: &str = "tensorboard.json";

/// Writes a run's event file.
#[derive(Debug)]
pub struct Tensorboard {
    folder: PathBuf,
    path: PathBuf,
    state: State,
}

/// How far the event file goes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// Name of the event file.
    file: String,
    /// Its length; what is behind it was written by a process that died before it could note so.
    bytes: u64,
    cursor: Cursor,
}

/// The destination, if this is its file.
pub fn known(file: &Path) -> Option<Destination> {
    (file.file_name()? == STATE).then_some(Destination::Tensorboard)
}

impl Tensorboard {
    /// Goes on with the run's event file, or with none.
    pub fn new(run: &Path) -> Self {
        let path = run.join(FOLDER).join(STATE);
        let state = cursor::load(&path).unwrap_or_default();
        Self { folder: run.join("tensorboard"), path, state }
    }

    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        if self.state.cursor.is_of_another(records) {
            self.state = State::default();
        }
        let wanted: Vec<&Record> = records.iter().filter(|record| self.state.cursor.wants(record)).collect();
        let Some(first) = wanted.first() else { return Ok(()) };
        fs::create_dir_all(&self.folder)?;
        if self.state.bytes == 0 {
            self.state.file = format!("events.out.tfevents.{:010}.nomen", first.time / 1000);
        }
        let path = self.folder.join(&self.state.file);
        let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
        if file.metadata()?.len() < self.state.bytes {
            let shorter =
                "it is shorter than it was; remove it and the run's tracking/tensorboard.json to write it anew";
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{}: {shorter}", path.display())));
        }
        file.set_len(self.state.bytes)?;
        file.seek(SeekFrom::End(0))?;
        let mut bytes = if self.state.bytes == 0 { event::version(seconds(first)) } else { Vec::new() };
        let mut cursor = self.state.cursor.clone();
        for record in wanted {
            bytes.extend(encoded(record));
            cursor.note(record);
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        self.state.bytes += bytes.len() as u64;
        self.state.cursor = cursor;
        cursor::save(&self.path, &self.state)
    }
}

impl Tracker for Tensorboard {
    fn name(&self) -> String {
        "TensorBoard".to_owned()
    }

    fn send(&mut self, records: &[Record]) -> Result<(), TrackError> {
        self.write(records).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => TrackError::Refused(error.to_string()),
            _ => TrackError::Away(format!("{}: {error}", self.folder.display())),
        })
    }

    fn close(&mut self, _leaving: Leaving) -> Result<(), TrackError> {
        Ok(())
    }
}

fn seconds(record: &Record) -> f64 {
    record.time as f64 / 1000.0
}

fn encoded(record: &Record) -> Vec<u8> {
    let time = seconds(record);
    match &record.moment {
        Moment::Begun(fields) => event::text(time, "run/settings", &table(fields)),
        Moment::About(fields) => event::text(time, "run/about", &table(fields)),
        Moment::Step(step, values) | Moment::Evaluation(step, values) | Moment::Judged(step, values) => {
            event::scalars(time, *step, values)
        }
        Moment::Resumed | Moment::Ended(_) => Vec::new(),
    }
}

/// A table in Markdown.
fn table(fields: &[(String, String)]) -> String {
    let mut table = "| key | value |\n|---|---|\n".to_owned();
    for (key, value) in fields {
        let value = value.replace('|', "\\|").replace(['\n', '\r'], " ");
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {key} | {value} |");
    }
    table
}
