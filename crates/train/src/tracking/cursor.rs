//! How far a tracker has come in a run's events, in a file that outlives the process.

use std::{fs, io, io::Write as _, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Moment, Record, UNFINISHED};

/// What a tracker has taken over. Steps count, not lines: a run that is gone on with takes some steps again, bit for bit
/// as they were, and those are not shown twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// When the run was begun, which tells it from another one in the same folder.
    pub begun: u64,
    /// Its settings.
    pub settings: bool,
    /// Its base and data.
    pub about: bool,
    /// The last step.
    pub step: u64,
    /// The step of the last evaluation.
    pub evaluation: u64,
    /// The scores of its best model.
    pub judged: bool,
}

impl Cursor {
    /// Whether a record is still to be shown.
    pub fn wants(&self, record: &Record) -> bool {
        match record.moment {
            Moment::Begun(_) => !self.settings,
            Moment::About(_) => !self.about,
            Moment::Step(step, _) => step > self.step,
            Moment::Evaluation(step, _) => step > self.evaluation,
            Moment::Judged(..) => !self.judged,
            Moment::Resumed | Moment::Ended(_) => false,
        }
    }

    /// A record is shown.
    pub fn note(&mut self, record: &Record) {
        match record.moment {
            Moment::Begun(_) => (self.begun, self.settings) = (record.time, true),
            Moment::About(_) => self.about = true,
            Moment::Step(step, _) => self.step = self.step.max(step),
            Moment::Evaluation(step, _) => self.evaluation = self.evaluation.max(step),
            Moment::Judged(..) => self.judged = true,
            Moment::Resumed | Moment::Ended(_) => {}
        }
    }

    /// Whether these records begin another run than the one that was shown.
    pub fn is_of_another(&self, records: &[Record]) -> bool {
        let begins = |record: &&Record| matches!(record.moment, Moment::Begun(_));
        self.settings && records.iter().find(begins).is_some_and(|record| record.time != self.begun)
    }
}

/// What a file of a tracker says; what cannot be read is as good as nothing.
pub fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a file of a tracker, which is there as a whole or as it was before, whatever happens.
pub fn save(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut file, value)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
