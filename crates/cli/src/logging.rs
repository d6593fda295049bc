//! The log of predictions that a command writes where it is asked to.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use model::Recognizer;
use operate::{
    predictions::{LogOptions, LoggedModel, Prediction, PredictionLog, TextKeeping, WhenFull},
    profile::Profile,
    registry::Contents,
};
use schema::Entity;

use crate::progress::note;

/// Bytes of a megabyte, as `--log-size` counts them.
const MEGABYTE: u64 = 1_000_000;

/// Where predictions are logged, and how.
#[derive(Args)]
#[command(next_help_heading = "Log of predictions, for `nomen monitor`")]
pub struct LogArguments {
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// What the log keeps of a text
    #[arg(long, value_enum, value_name = "WHAT", default_value = "hash", requires = "log")]
    log_texts: Texts,
    /// Share of the texts that are logged, above 0 and up to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, requires = "log")]
    log_share: f64,
    /// Seed of the sample
    #[arg(long, value_name = "N", default_value_t = 0, requires = "log")]
    log_seed: u64,
    /// Most megabytes of the log; the oldest rows make room for new ones
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=1_000_000), requires = "log")]
    log_size: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Texts {
    /// Nothing
    None,
    /// The first digits of its SHA-256, so that whoever has the text finds it
    Hash,
    /// The text itself, for annotating what the model is unsure of
    Keep,
}

/// A log that is being written for a model.
pub struct Logging {
    log: PredictionLog,
    model: Arc<LoggedModel>,
}

impl LogArguments {
    /// Begins the log, where one is asked for. The model lies in `folder`.
    pub fn open(&self, recognizer: &Recognizer, folder: &Path, when_full: WhenFull) -> anyhow::Result<Option<Logging>> {
        let Some(log) = &self.log else { return Ok(None) };
        let options = LogOptions {
            share: self.log_share,
            seed: self.log_seed,
            texts: match self.log_texts {
                Texts::None => TextKeeping::Nothing,
                Texts::Hash => TextKeeping::Hash,
                Texts::Keep => TextKeeping::Whole,
            },
            most_bytes: self.log_size * MEGABYTE,
            when_full,
        };
        let model = Arc::new(logged(recognizer, folder)?);
        Ok(Some(Logging { log: PredictionLog::open(log, &options)?, model }))
    }
}

/// What the log says of a model.
pub fn logged(recognizer: &Recognizer, folder: &Path) -> anyhow::Result<LoggedModel> {
    let profile = recognizer.bundle().profile.as_deref().map(Profile::parse).transpose();
    let profile = profile.with_context(|| folder.display().to_string())?;
    if profile.is_none() {
        note("the model has no profile, so the log does not tell which words and entities are new to it");
    }
    // The folder's own name, and not where it lies.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
    let version = Contents::read(&folder).ok().map(|contents| contents.id);
    Ok(LoggedModel { name, version, profile: profile.map(Arc::new) })
}

impl Logging {
    /// Hands a text and its entities to the log.
    pub fn record(&self, text: &str, entities: &[Entity]) {
        self.log.record(&Prediction { model: &self.model, text, entities, at: SystemTime::now() });
    }

    /// Waits until everything is written, and notes what was not.
    pub fn finish(self) {
        told(self.log);
    }
}

/// Ends a log and tells what became of it.
pub fn told(log: PredictionLog) {
    let (counts, problem) = log.close();
    if counts.failed + counts.dropped > 0 {
        let because = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
        note(&format!("warning: {} predictions are not in the log{because}", counts.failed + counts.dropped));
    }
    if counts.shortened > 0 {
        note(&format!(
            "warning: {} texts are longer than an eighth of --log-size; the log has their hashes",
            counts.shortened
        ));
    }
    note(&format!("log: {} of {} texts", counts.written, counts.recorded));
}
