//! What a run's `events.jsonl` says of it: all that a list or a comparison of runs needs.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;

use crate::{Curve, End, Events, identity};

/// A run as its events tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its folder.
    pub path: PathBuf,
    /// When it was begun, in milliseconds since 1970 (UTC); `None` where the events do not say.
    pub begun: Option<u64>,
    /// Spec of its base.
    pub base: Option<String>,
    /// Its data sets by name (`train`, `dev`, `test`).
    pub data: BTreeMap<String, DataLine>,
    /// Everything that decides the outcome, by path: `settings.seed`, `data.train`, `base.model.safetensors`, `labels`.
    pub identity: BTreeMap<String, String>,
    /// Steps that it was to have.
    pub planned: Option<u64>,
    /// Its course.
    pub curve: Curve,
    /// Scores of its best model on dev.
    pub dev: Option<Scored>,
    /// Scores of its best model on test.
    pub test: Option<Scored>,
    /// Where it stands.
    pub state: RunState,
}

/// A data set of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DataLine {
    /// Name of its file.
    pub file: String,
    /// Texts.
    pub texts: u64,
    /// Entities.
    pub entities: u64,
}

/// Strict micro scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scored {
    /// Precision.
    #[serde(rename = "ents_p")]
    pub precision: f64,
    /// Recall.
    #[serde(rename = "ents_r")]
    pub recall: f64,
    /// F1.
    #[serde(rename = "ents_f")]
    pub f1: f64,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// A process trains it.
    Running,
    /// It can be gone on with.
    Stopped,
    /// It is over.
    Ended(End),
}

impl RunSummary {
    /// The run in a folder.
    ///
    /// # Errors
    /// There are no events, or they cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let events = Events::read(&path.join("events.jsonl"))?;
        let last = |kind: &str| events.iter().rev().find(|event| event["event"] == kind);
        let first = events.iter().find(|event| event["event"] == "start");
        let about = last("about").unwrap_or(&Value::Null);
        let scores = last("scores").unwrap_or(&Value::Null);
        let mut fields = BTreeMap::new();
        if let Some(known) = events.iter().rev().find_map(|event| event.get("identity")) {
            identity::flatten("", known, &mut fields);
        }
        let curve = Curve::of(&events);
        let best = curve.best().map(|best| Scored { precision: best.precision, recall: best.recall, f1: best.f1 });
        let state = match curve.end {
            Some(end) => RunState::Ended(end),
            None if is_held(path) => RunState::Running,
            None => RunState::Stopped,
        };
        Ok(Self {
            path: path.to_owned(),
            begun: first.and_then(|first| first["time"].as_u64()),
            base: about["base"].as_str().map(str::to_owned),
            data: about["data"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, set)| (name.clone(), data(set)))
                .collect(),
            identity: fields,
            planned: about["steps"].as_u64(),
            dev: scored(&scores["dev"]).or(best),
            test: scored(&scores["test"]),
            curve,
            state,
        })
    }

    /// Name of its folder.
    pub fn name(&self) -> String {
        crate::tracking::name_of(&self.path)
    }
}

impl RunState {
    /// Its name: `running`, `stopped`, or why it is over.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Ended(End::Finished) => "finished",
            Self::Ended(End::NoProgress) => "no-progress",
            Self::Ended(End::Diverged) => "diverged",
        }
    }
}

/// Whether a process has the run's folder, as far as can be told.
fn is_held(path: &Path) -> bool {
    File::open(path.join("run.lock"))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

fn scored(set: &Value) -> Option<Scored> {
    Some(Scored { precision: set["ents_p"].as_f64()?, recall: set["ents_r"].as_f64()?, f1: set["ents_f"].as_f64()? })
}

fn data(set: &Value) -> DataLine {
    let count = |key: &str| set[key].as_u64().unwrap_or(0);
    DataLine {
        file: set["file"].as_str().unwrap_or_default().to_owned(),
        texts: count("texts"),
        entities: count("entities"),
    }
}
