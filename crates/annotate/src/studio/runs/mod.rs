//! Training runs that are started from a page: child processes, so that a crash stays outside.

mod data;
mod errors;
mod follow;
mod label_errors;
mod open;
mod process;

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use store::{NewRun, Project, Run, RunId, RunState, Store, StoreError};

use super::Refusal;
use crate::queue::Order;

pub use errors::{Worst, worst};
pub use follow::follow;
pub use label_errors::label_errors;
pub use open::learned_from;
use process::{Going, Known, spawn};

/// How long a process may take to save when it is asked to leave.
const LEAVING: Duration = Duration::from_secs(20);

/// Makes the commands of runs: the program and its words.
pub trait StartRun: Send + Sync {
    /// Trains on annotated files; leaves `events.jsonl` and `model-best` in `out`.
    fn train(&self, training: &Training) -> Vec<String>;
    /// Prints what a model finds in a file, as JSON lines.
    fn tag(&self, model: &Path, file: &Path) -> Vec<String>;
}

/// What is trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Training {
    /// Annotated texts to learn from.
    pub train: PathBuf,
    /// Annotated texts by which the best model is chosen.
    pub dev: PathBuf,
    /// Folder of the run.
    pub out: PathBuf,
    /// The base model's spec; the default where it is empty.
    pub base: String,
    /// Settings as `key=value`.
    pub settings: Vec<String>,
}

impl Training {
    /// What is trained in the folder of a run.
    fn of(folder: &Path, base: String, settings: Vec<String>) -> Self {
        let [train, dev] = ["train.jsonl", "dev.jsonl"].map(|name| folder.join(name));
        Self { train, dev, out: folder.join("run"), base, settings }
    }
}

/// A run to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The base model's spec; the default where it is empty.
    pub base: String,
    /// Settings as `key=value`.
    pub settings: Vec<String>,
    /// Lets the best model tag what is open, suggests what it found, and ranks the queue by it.
    pub order: Option<Order>,
}

/// The runs of a studio.
pub struct Runs {
    store: Store,
    folder: PathBuf,
    starts: Arc<dyn StartRun>,
    going: Mutex<HashMap<RunId, Arc<Going>>>,
    /// Held while a run is started, so that two do not start at once.
    starting: tokio::sync::Mutex<()>,
}

impl Runs {
    pub(super) fn new(store: Store, folder: PathBuf, starts: Arc<dyn StartRun>) -> Self {
        Self { store, folder, starts, going: Mutex::default(), starting: tokio::sync::Mutex::default() }
    }

    /// Goes on with runs that an earlier studio left without a word: attends those whose process still lives, and notes of the others
    /// what their events say.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<(), StoreError> {
        for project in self.store.projects().await? {
            for run in self.store.runs(project.id).await? {
                if run.state != RunState::Running {
                    continue;
                }
                let folder = PathBuf::from(&run.started.folder);
                if let Some(known) = Known::read(&folder).filter(Known::is_alive) {
                    let (base, settings) = (String::new(), Vec::new());
                    let training = Training::of(&folder, base, settings);
                    let (order, going) = (known.order(), Arc::new(Going::found(known)));
                    self.attended(Attended { run: run.id, project: project.clone(), folder, training, order, going });
                    continue;
                }
                let (state, told) = if process::has_ended(&folder) {
                    (RunState::Finished, "")
                } else {
                    (RunState::Stopped, "the studio ended while this went on; its folder has what it saved")
                };
                self.store.end_run(run.id, state, told).await?;
            }
        }
        Ok(())
    }

    /// Starts a training run on what is accepted in a project.
    ///
    /// # Errors
    /// Another run goes on, there is too little to learn from, or files or process cannot be made.
    pub async fn start(self: &Arc<Self>, project: &Project, wanted: Wanted) -> Result<Run, Refusal> {
        let Wanted { base, settings, order } = wanted;
        let _starting = self.starting.lock().await;
        if !self.going().is_empty() {
            return Err(Refusal::Stale("a run goes on; stop it, or wait until it is over".to_owned()));
        }
        if let Some(setting) = settings.iter().find(|setting| !is_setting(setting)) {
            return Err(Refusal::Invalid(format!("`{setting}` is no setting; write key=value, such as max_steps=100")));
        }
        if base.starts_with('-') || base.chars().any(char::is_control) {
            return Err(Refusal::Invalid(format!("`{base}` is no base model; write minilm or hf:OWNER/NAME")));
        }
        let split = data::split(&self.store, project).await?;
        let failed = |error: io::Error| Refusal::Failed(format!("{}: {error}", self.folder.display()));
        let folder = new_folder(&self.folder).map_err(failed)?;
        let training = Training::of(&folder, base, settings);
        split.write(&folder)?;
        let command = self.starts.train(&training);
        let child = spawn(&command, &folder, Stdio::null()).map_err(failed)?;
        let run = NewRun {
            project: Some(project.id),
            kind: "train".to_owned(),
            command,
            folder: folder.display().to_string(),
        };
        let run = self.store.begin_run(run).await?;
        // Where this cannot be written, a studio after a crash takes the run for stopped.
        let _ = Known::of(&child, order).map_or(Ok(()), |known| known.write(&folder));
        let going = Arc::new(Going::of(child));
        let attended = Attended { run: run.id, project: project.clone(), folder, training, order, going };
        self.attended(attended);
        Ok(run)
    }

    /// Asks a run to save and leave.
    ///
    /// # Errors
    /// It does not go on.
    pub fn stop(&self, run: RunId) -> Result<(), Refusal> {
        let going = self.going().into_iter().find(|(id, _)| *id == run);
        let (_, going) = going.ok_or_else(|| Refusal::Stale("this run does not go on".to_owned()))?;
        going.leave();
        Ok(())
    }

    /// Asks all runs to save and leave, and waits for them.
    pub(super) async fn end(&self) {
        self.going().iter().for_each(|(_, going)| going.leave());
        let gone = async {
            while !self.going().is_empty() {
                tokio::time::sleep(process::TICK).await;
            }
        };
        if tokio::time::timeout(LEAVING, gone).await.is_err() {
            for (_, going) in self.going() {
                going.kill();
            }
        }
    }

    /// Whether no run goes on.
    pub(super) fn is_free(&self) -> bool {
        self.going().is_empty()
    }

    fn going(&self) -> Vec<(RunId, Arc<Going>)> {
        let going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
        going.iter().map(|(id, going)| (*id, Arc::clone(going))).collect()
    }

    fn attended(self: &Arc<Self>, run: Attended) {
        self.going.lock().unwrap_or_else(PoisonError::into_inner).insert(run.run, Arc::clone(&run.going));
        tokio::spawn(Arc::clone(self).attend(run));
    }

    /// Waits for a run's process, lets its best model be tried and order the queue, and notes how all ended.
    async fn attend(self: Arc<Self>, run: Attended) {
        let (mut state, mut told) = run.going.ended(&run.folder).await;
        if state == RunState::Finished {
            (state, told) = self.tagged(&run, &run.training.dev, "predictions").await;
        }
        if let (RunState::Finished, Some(order)) = (state, run.order) {
            (state, told) = self.ordered(&run, order).await;
        }
        // A database that does not answer now leaves the run as one that goes on; its events tell the truth.
        let _ = self.store.end_run(run.run, state, &told).await;
        self.going.lock().unwrap_or_else(PoisonError::into_inner).remove(&run.run);
    }

    /// Lets the best model of a run tag a file, into another of its folder.
    async fn tagged(&self, run: &Attended, file: &Path, out: &str) -> (RunState, String) {
        let Attended { folder, training, going, .. } = run;
        let command = self.starts.tag(&training.out.join("model-best"), file);
        let out = folder.join(out).with_extension("jsonl");
        match File::create(out).and_then(|out| spawn(&command, folder, out.into())) {
            Ok(child) => {
                going.goes_on_as(child);
                going.ended(folder).await
            }
            Err(error) => (RunState::Failed, format!("its model cannot be tried: {error}")),
        }
    }

    /// Lets the best model of a run tag what is open, and ranks that by it.
    async fn ordered(&self, run: &Attended, order: Order) -> (RunState, String) {
        let Attended { run: id, project, folder, .. } = run;
        let failed = |refusal: Refusal| (RunState::Failed, format!("the queue is not ordered by it: {refusal}"));
        match open::write(&self.store, project, *id, folder).await {
            Ok(0) => return (RunState::Finished, String::new()),
            Ok(_) => {}
            Err(refusal) => return failed(refusal),
        }
        let (state, told) = self.tagged(run, &open::path(folder), open::FOUND).await;
        if state != RunState::Finished {
            return (state, told);
        }
        open::take(&self.store, project, *id, folder, order)
            .await
            .map_or_else(failed, |()| (RunState::Finished, String::new()))
    }
}

/// A run whose process is waited for.
struct Attended {
    run: RunId,
    project: Project,
    folder: PathBuf,
    training: Training,
    order: Option<Order>,
    going: Arc<Going>,
}

/// The next folder that nobody has.
fn new_folder(below: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(below)?;
    for number in 1_u32.. {
        let folder = below.join(format!("studio-{number}"));
        match fs::create_dir(&folder) {
            Ok(()) => return std::path::absolute(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn is_setting(setting: &str) -> bool {
    let is_key =
        |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
    setting.split_once('=').is_some_and(|(key, _)| is_key(key)) && !setting.chars().any(char::is_control)
}

/// The lines of a run's events, without one that is not whole yet.
pub fn events(folder: &Path) -> Vec<Value> {
    let lines = fs::read(folder.join("run/events.jsonl")).unwrap_or_default();
    lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_keys_with_values_and_nothing_else() {
        for good in ["max_steps=100", "augment.copies=3", "base=", "seed=7=8"] {
            assert!(is_setting(good), "{good}");
        }
        for bad in ["", "=3", "--out=x", "a b=c", "seed", "seed=1\n"] {
            assert!(!is_setting(bad), "{bad}");
        }
    }

    #[test]
    fn folders_are_never_shared() {
        let below = tempfile::tempdir().unwrap();
        let (one, other) = (new_folder(below.path()).unwrap(), new_folder(below.path()).unwrap());
        assert!(one.ends_with("studio-1") && other.ends_with("studio-2"));
    }
}
