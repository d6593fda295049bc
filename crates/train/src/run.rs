//! A run on disk: its folder, what is saved there and when.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use model::BundleError;
use serde_json::json;
use thiserror::Error;

use crate::{CheckpointError, Checkpoints, End, Events, Fit, FitError, Identity, Resumed, StepReport};

/// Time between two checkpoints where the settings name no number of steps. A crash then costs a minute of work, and
/// writing a small model's checkpoint (half a second) costs less than a hundredth of it.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(60);

/// The folder of a run, held by this process alone.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Locked as long as the run lives; the system lets go of it with the process.
    _lock: File,
}

/// Why a run could not be started or went wrong.
#[derive(Debug, Error)]
pub enum RunError {
    /// Another process trains there.
    #[error("{0}: another run is training into this folder; wait for it or choose another --out")]
    Locked(PathBuf),
    /// The folder holds a run, and nobody said what to do with it.
    #[error("{0}: there is a run in this folder; go on with it by --resume, or choose another --out")]
    Occupied(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A checkpoint could not be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A model could not be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A step went wrong.
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// What an observer hears of.
#[derive(Debug)]
pub enum Progress<'p> {
    /// A step was taken.
    Step(&'p StepReport),
    /// A better model is in `model-best`.
    BestSaved,
    /// Something could not be saved; the run goes on, and what was saved before is untouched.
    NotSaved(RunError),
}

/// What an observer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Save a checkpoint and leave.
    Stop,
}

/// How [`drive`] came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The run is over.
    Ended(End),
    /// The observer stopped it; a checkpoint is saved.
    Stopped,
}

impl RunFolder {
    /// Takes a folder for a run, making it where it does not exist.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let io = |error| RunError::Io { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(io)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("run.lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(RunError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Whether a run was begun here.
    pub fn is_occupied(&self) -> bool {
        self.events().exists() || self.checkpoints().exist()
    }

    /// A file or folder in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The best model on the dev set; the last one where there is no dev set.
    pub fn model_best(&self) -> PathBuf {
        self.join("model-best")
    }

    /// The model after the last step.
    pub fn model_last(&self) -> PathBuf {
        self.join("model-last")
    }

    /// `events.jsonl`.
    pub fn events(&self) -> PathBuf {
        self.join("events.jsonl")
    }

    /// The checkpoints.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.join("checkpoints"))
    }
}

/// A run that is ready to take steps.
#[derive(Debug)]
pub struct Run<'f> {
    folder: &'f RunFolder,
    identity: Identity,
    events: Events,
    /// Where the run goes on from, if it was there before.
    pub resumed: Option<Resumed>,
}

impl<'f> Run<'f> {
    /// Begins a run in an empty folder.
    ///
    /// # Errors
    /// There is a run already, or the folder cannot be written.
    pub fn begin(folder: &'f RunFolder, identity: Identity) -> Result<Self, RunError> {
        if folder.is_occupied() {
            return Err(RunError::Occupied(folder.path.clone()));
        }
        let io = |error| RunError::Io { path: folder.events(), error };
        let mut events = Events::create(&folder.events()).map_err(io)?;
        events.started(json!({"resumed": false})).map_err(io)?;
        events.flush().map_err(io)?;
        Ok(Self { folder, identity, events, resumed: None })
    }

    /// Goes on with the run in a folder, from its newest whole checkpoint; from the start where it has none yet.
    ///
    /// # Errors
    /// The run has changed, its checkpoints are all damaged, or the folder cannot be read.
    pub fn resume(folder: &'f RunFolder, identity: Identity, fit: &mut Fit) -> Result<Self, RunError> {
        let resumed = match folder.checkpoints().resume(fit, &identity) {
            Err(CheckpointError::None(_)) if folder.is_occupied() => Resumed { step: 0, damaged: Vec::new() },
            found => found?,
        };
        let io = |error| RunError::Io { path: folder.events(), error };
        let mut events = Events::resume(&folder.events(), resumed.step).map_err(io)?;
        events.started(json!({"resumed": true, "step": resumed.step})).map_err(io)?;
        Ok(Self { folder, identity, events, resumed: Some(resumed) })
    }

    /// Takes step after step until the run is over or `observe` stops it; records, and saves what is due.
    ///
    /// # Errors
    /// A step goes wrong (no model is written from it), or the last model cannot be saved.
    pub fn drive(&mut self, fit: &mut Fit, mut observe: impl FnMut(Progress<'_>) -> Flow) -> Result<Outcome, RunError> {
        let mut saved = Instant::now();
        while let Some(report) = fit.step()? {
            let mut flow = observe(Progress::Step(&report));
            if let Err(error) = self.record(fit, &report, &mut observe) {
                flow = merge(flow, observe(Progress::NotSaved(error)));
            }
            let due = match fit.settings().checkpoint_every {
                0 => saved.elapsed() >= CHECKPOINT_INTERVAL,
                every => report.step.is_multiple_of(every),
            };
            if due || flow == Flow::Stop {
                saved = Instant::now();
                if let Err(error) = self.checkpoint(fit) {
                    flow = merge(flow, observe(Progress::NotSaved(error)));
                }
            }
            if flow == Flow::Stop && report.ended.is_none() {
                return Ok(Outcome::Stopped);
            }
        }
        self.finish(fit)
    }

    fn record(
        &mut self,
        fit: &mut Fit,
        report: &StepReport,
        observe: &mut impl FnMut(Progress<'_>) -> Flow,
    ) -> Result<(), RunError> {
        let path = self.folder.events();
        self.events.step(report).map_err(|error| RunError::Io { path, error })?;
        if let Some(evaluation) = &report.evaluation
            && evaluation.is_best
        {
            fit.bundle_mut().manifest.scores = json!({"dev": evaluation.scores, "step": report.step});
            fit.bundle().save(&self.folder.model_best())?;
            observe(Progress::BestSaved);
        }
        Ok(())
    }

    fn checkpoint(&mut self, fit: &Fit) -> Result<(), RunError> {
        let path = self.folder.events();
        self.events.flush().map_err(|error| RunError::Io { path, error })?;
        Ok(self.folder.checkpoints().save(fit, &self.identity)?)
    }

    /// Saves what the end of a run leaves: the last model, and a checkpoint so that `--resume` finds it finished.
    fn finish(&mut self, fit: &Fit) -> Result<Outcome, RunError> {
        let end = fit.state().ended.unwrap_or(End::Finished);
        if end != End::Diverged {
            fit.bundle().save(&self.folder.model_last())?;
            if fit.state().best.is_none() {
                fit.bundle().save(&self.folder.model_best())?;
            }
        }
        self.checkpoint(fit)?;
        let path = self.folder.events();
        self.events.ended(fit.state().step, end).map_err(|error| RunError::Io { path, error })?;
        Ok(Outcome::Ended(end))
    }
}

fn merge(a: Flow, b: Flow) -> Flow {
    if a == Flow::Stop || b == Flow::Stop { Flow::Stop } else { Flow::Continue }
}
