//! MLflow, by its REST interface ("REST API" of MLflow's documentation, version 2.0).

mod artifacts;
mod batch;
mod server;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use self::server::{Failure, Server};
use super::{
    Destination, Environment, FOLDER, Leaving, Moment, Record, TrackError, Tracker,
    cursor::{self, Cursor},
    destination, name_of,
};
use crate::End;

/// Tag by which a run is found again whose creation was never answered.
const KEY_TAG: &str = "nomen.key";
/// Tag that says why a run is over.
const ENDED_TAG: &str = "nomen.ended";

/// Shows a run at an MLflow server.
#[derive(Debug)]
pub struct Mlflow {
    run: PathBuf,
    server: Server,
    path: PathBuf,
    state: State,
    /// Whether the server knows that this process goes on with the run.
    announced: bool,
}

/// What is known of the run at the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    /// Address of the server, without credentials.
    url: String,
    experiment: String,
    /// Name by which the server's run is found.
    key: String,
    /// The server's run, once there is one.
    #[serde(default)]
    at: Option<At>,
    #[serde(default)]
    cursor: Cursor,
    /// SHA-256 sums of the files that the server has, by path.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A run at the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct At {
    run_id: String,
    /// Where its artifacts belong.
    artifacts: String,
}

/// The destination, if this is a file of one.
pub fn known(file: &Path) -> Option<Destination> {
    if !file.file_name()?.to_str()?.starts_with("mlflow-") {
        return None;
    }
    let state: State = cursor::load(file)?;
    Some(Destination::Mlflow { url: destination::server(&state.url).ok()?, experiment: state.experiment })
}

impl Mlflow {
    /// Goes on with the run at the server, or with none.
    ///
    /// # Errors
    /// The server could never be asked.
    pub fn new(run: &Path, url: &Url, experiment: &str, environment: &Environment) -> Result<Self, TrackError> {
        let address = url.as_str().trim_end_matches('/');
        let place = hex(&Sha256::digest(format!("{address}\n{experiment}")));
        let path = run.join(FOLDER).join(format!("mlflow-{}.json", &place[..8]));
        let state = cursor::load(&path).unwrap_or_else(|| State::new(address, experiment));
        Ok(Self { run: run.to_owned(), server: Server::new(url, environment)?, path, state, announced: false })
    }

    /// The server's run, made where there is none, and said to be going on.
    fn announce(&mut self, begun: u64) -> Result<String, TrackError> {
        if let (true, Some(at)) = (self.announced, &self.state.at) {
            return Ok(at.run_id.clone());
        }
        let at = if let Some(at) = self.state.at.clone() {
            self.update(&at.run_id, &json!({"status": "RUNNING"}))?;
            at
        } else {
            // Known before it is sent, so that a run whose answer is lost is found again.
            self.save()?;
            let experiment = self.experiment()?;
            let at = match self.search(&experiment)? {
                Some(at) => at,
                None => self.create(&experiment, begun)?,
            };
            self.state.at = Some(at.clone());
            self.save()?;
            at
        };
        self.announced = true;
        Ok(at.run_id)
    }

    /// The experiment's id.
    fn experiment(&self) -> Result<String, TrackError> {
        let name = &self.state.experiment;
        let id =
            |answer: &Value| answer.as_str().map(str::to_owned).ok_or_else(|| unexpected("an experiment without id"));
        let get = || self.server.get("experiments/get-by-name", ("experiment_name", name));
        let found = match get() {
            Err(Failure::Refused { code, .. }) if code == "RESOURCE_DOES_NOT_EXIST" => {
                match self.server.post("experiments/create", &json!({"name": name})) {
                    Ok(made) => return id(&made["experiment_id"]),
                    // Someone else made it in between.
                    Err(Failure::Refused { code, .. }) if code == "RESOURCE_ALREADY_EXISTS" => get(),
                    Err(failure) => Err(failure),
                }
            }
            found => found,
        }?;
        let experiment = &found["experiment"];
        if experiment["lifecycle_stage"] == "deleted" {
            return Err(TrackError::Refused(format!(
                "its experiment `{name}` is deleted; restore it there, or name another one"
            )));
        }
        id(&experiment["experiment_id"])
    }

    fn search(&self, experiment: &str) -> Result<Option<At>, TrackError> {
        let filter = format!("tags.`{KEY_TAG}` = '{}'", self.state.key);
        let body = json!({"experiment_ids": [experiment], "filter": filter, "max_results": 1});
        let found = self.server.post("runs/search", &body)?;
        found["runs"].get(0).map(at).transpose()
    }

    fn create(&self, experiment: &str, begun: u64) -> Result<At, TrackError> {
        let tags = [
            (KEY_TAG, self.state.key.as_str()),
            ("nomen.version", env!("CARGO_PKG_VERSION")),
            ("mlflow.source.name", "nomen train"),
        ];
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        let start = if begun > 0 { begun } else { now() };
        let body =
            json!({"experiment_id": experiment, "run_name": name_of(&self.run), "start_time": start, "tags": tags});
        at(&self.server.post("runs/create", &body)?["run"])
    }

    fn update(&self, run_id: &str, fields: &Value) -> Result<(), TrackError> {
        let mut body = json!({"run_id": run_id});
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields.clone()) {
            body.extend(fields);
        }
        match self.server.post("runs/update", &body) {
            Err(Failure::Refused { code, message }) if code == "RESOURCE_DOES_NOT_EXIST" => Err(TrackError::Refused(
                format!("{message}; to show the run as a new one, remove {}", self.path.display()),
            )),
            answer => Ok(answer.map(drop)?),
        }
    }

    fn save(&self) -> Result<(), TrackError> {
        cursor::save(&self.path, &self.state).map_err(|error| away(&self.path, &error))
    }
}

impl Tracker for Mlflow {
    fn name(&self) -> String {
        format!("MLflow at {}", self.server.url().as_str().trim_end_matches('/'))
    }

    fn send(&mut self, records: &[Record]) -> Result<(), TrackError> {
        if self.state.cursor.is_of_another(records) {
            self.state = State::new(&self.state.url, &self.state.experiment);
            self.announced = false;
        }
        let begins = |record: &&Record| matches!(record.moment, Moment::Begun(_));
        let begun = records.iter().find(begins).map_or(0, |record| record.time);
        let run_id = self.announce(begun)?;
        let wanted: Vec<&Record> = records.iter().filter(|record| self.state.cursor.wants(record)).collect();
        for mut portion in batch::portions(wanted.iter().copied()) {
            portion["run_id"] = json!(run_id);
            self.server.post("runs/log-batch", &portion)?;
        }
        if !wanted.is_empty() {
            for record in wanted {
                self.state.cursor.note(record);
            }
            self.save()?;
        }
        Ok(())
    }

    fn close(&mut self, leaving: Leaving) -> Result<(), TrackError> {
        let run_id = self.announce(0)?;
        let stored = match leaving {
            Leaving::Over(_) => self.store_files(),
            Leaving::Stopped | Leaving::Failed => Ok(()),
        };
        // A server that takes no files still learns how the run ended.
        if let Err(away @ TrackError::Away(_)) = stored {
            return Err(away);
        }
        let (status, reason) = match leaving {
            Leaving::Over(End::Finished) => ("FINISHED", "finished"),
            Leaving::Over(End::NoProgress) => ("FINISHED", "no-progress"),
            Leaving::Over(End::Diverged) => ("FAILED", "diverged"),
            Leaving::Stopped => ("KILLED", "stopped"),
            Leaving::Failed => ("FAILED", "failed"),
        };
        self.server.post("runs/set-tag", &json!({"run_id": run_id, "key": ENDED_TAG, "value": reason}))?;
        self.update(&run_id, &json!({"status": status, "end_time": now()}))?;
        stored
    }
}

impl State {
    fn new(url: &str, experiment: &str) -> Self {
        let seed = format!("{url}\n{:?}\n{}", SystemTime::now(), std::process::id());
        Self {
            url: url.to_owned(),
            experiment: experiment.to_owned(),
            key: hex(&Sha256::digest(seed))[..32].to_owned(),
            at: None,
            cursor: Cursor::default(),
            files: BTreeMap::new(),
        }
    }
}

/// Where a run of an answer is.
fn at(run: &Value) -> Result<At, TrackError> {
    let text = |key: &str| run["info"][key].as_str().map(str::to_owned);
    let run_id = text("run_id").ok_or_else(|| unexpected("a run without id"))?;
    Ok(At { run_id, artifacts: text("artifact_uri").unwrap_or_default() })
}

fn unexpected(what: &str) -> TrackError {
    TrackError::Away(format!("what answers there is no MLflow server: it tells of {what}"))
}

fn away(path: &Path, error: &io::Error) -> TrackError {
    TrackError::Away(format!("{}: {error}", path.display()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
