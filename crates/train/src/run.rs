//! A run on disk: what is saved of it and when.

use std::{
    cell::Cell,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use evaluate::Scores;
use model::BundleError;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{CheckpointError, End, Evaluation, Events, Fit, FitError, Identity, Resumed, RunFolder, State, StepReport};

/// Time between two checkpoints where the settings name no number of steps. A crash then costs a minute of work, and
/// writing a small model's checkpoint (1 to 2 seconds for 22 million weights) a fiftieth of it.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(60);

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
    Checkpoint(Box<CheckpointError>),
    /// A model could not be written.
    #[error(transparent)]
    Bundle(Box<BundleError>),
    /// A step went wrong.
    #[error(transparent)]
    Fit(#[from] FitError),
}

impl From<CheckpointError> for RunError {
    fn from(error: CheckpointError) -> Self {
        Self::Checkpoint(Box::new(error))
    }
}

impl From<BundleError> for RunError {
    fn from(error: BundleError) -> Self {
        Self::Bundle(Box::new(error))
    }
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

/// How [`Run::drive`] came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The run is over.
    Ended(End),
    /// The observer stopped it; a checkpoint is saved, unless [`Progress::NotSaved`] said otherwise.
    Stopped,
}

/// A run that is ready to take steps.
#[derive(Debug)]
pub struct Run<'f> {
    folder: &'f RunFolder,
    identity: Identity,
    events: Events,
    /// Score of the model in `model-best`.
    saved_score: Option<f64>,
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
            return Err(RunError::Occupied(folder.path().to_owned()));
        }
        let events = Events::create(&folder.events());
        let about = json!({"resumed": false, "identity": identity});
        let mut run = Self::new(folder, identity, events, None)?;
        run.record(|events| events.started(about))?;
        run.record(Events::flush)?;
        Ok(run)
    }

    /// Goes on with the run in a folder, from its newest whole checkpoint; from the start where it has none yet.
    /// Where the run is over, [`Fit::state`] says so then, and [`Self::drive`] takes no step.
    ///
    /// # Errors
    /// There is none, the run has changed, its checkpoints are all damaged, or the folder cannot be read.
    pub fn resume(folder: &'f RunFolder, identity: Identity, fit: &mut Fit) -> Result<Self, RunError> {
        let resumed = match folder.checkpoints().resume(fit, &identity) {
            Err(CheckpointError::None(_)) if folder.events().exists() => from_the_start(&folder.events(), &identity)?,
            found => found?,
        };
        folder.remove_unfinished();
        let events = Events::resume(&folder.events(), resumed.step);
        let mut run = Self::new(folder, identity, events, fit.state().best)?;
        run.record(|events| events.started(json!({"resumed": true, "step": resumed.step})))?;
        run.record(Events::flush)?;
        run.resumed = Some(resumed);
        Ok(run)
    }

    /// Records what a reader of the events wants to know beside the settings: `base` (its spec), `data` (by set: `file`,
    /// `texts`, `entities`), `steps` (of the whole run). It does not decide the outcome.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn describe(&mut self, about: Value) -> Result<(), RunError> {
        self.record(|events| events.described(about).and_then(|()| events.flush()))
    }

    fn new(
        folder: &'f RunFolder,
        identity: Identity,
        events: io::Result<Events>,
        best: Option<(f64, u64)>,
    ) -> Result<Self, RunError> {
        let events = events.map_err(|error| RunError::Io { path: folder.events(), error })?;
        Ok(Self { folder, identity, events, saved_score: best.map(|(score, _)| score), resumed: None })
    }

    /// Takes step after step until the run is over or `observe` stops it; records, and saves what is due.
    ///
    /// # Errors
    /// A step goes wrong (no model is written from it), or the last model cannot be saved.
    pub fn drive(&mut self, fit: &mut Fit, mut observe: impl FnMut(Progress<'_>) -> Flow) -> Result<Outcome, RunError> {
        let stop = Cell::new(false);
        let mut tell = |progress: Progress<'_>| stop.set(observe(progress) == Flow::Stop || stop.get());
        let mut last_checkpoint = Instant::now();
        let mut last_scores = None;
        while let Some(report) = fit.step()? {
            tell(Progress::Step(&report));
            tell_unless_saved(self.record(|events| events.step(&report)), &mut tell);
            // A model that has just been ruined is none to keep, though there may be none before it.
            let is_ruined = report.ended == Some(End::Diverged);
            if let Some(evaluation) = report.evaluation.as_ref().filter(|_| !is_ruined) {
                self.keep_best(fit, evaluation, &mut tell)?;
            }
            if report.ended.is_some() {
                last_scores = report.evaluation.map(|evaluation| evaluation.scores);
                break;
            }
            let is_due = match fit.settings().checkpoint_every {
                0 => last_checkpoint.elapsed() >= CHECKPOINT_INTERVAL,
                every => report.step.is_multiple_of(every),
            };
            if is_due || stop.get() {
                fit.check_weights()?;
                tell_unless_saved(self.checkpoint(fit), &mut tell);
                last_checkpoint = Instant::now();
            }
            if stop.get() {
                return Ok(Outcome::Stopped);
            }
        }
        self.finish(fit, last_scores, &mut tell)
    }

    /// Saves a model that is better than the one that is saved, which is the best before it unless that could not be
    /// saved.
    fn keep_best(
        &mut self,
        fit: &mut Fit,
        evaluation: &Evaluation,
        tell: &mut impl FnMut(Progress<'_>),
    ) -> Result<(), RunError> {
        let score = evaluation.score;
        if self.saved_score.is_some_and(|saved| score < saved) {
            return Ok(());
        }
        fit.check_weights()?;
        match save_model(fit, &self.folder.model_best(), Some(&evaluation.scores)) {
            Ok(()) => {
                self.saved_score = Some(score);
                tell(Progress::BestSaved);
            }
            Err(error) => tell(Progress::NotSaved(error)),
        }
        Ok(())
    }

    fn checkpoint(&mut self, fit: &mut Fit) -> Result<(), RunError> {
        // A checkpoint must not be ahead of the events: what it has behind it is never told again.
        self.record(Events::flush)?;
        Ok(self.folder.checkpoints().save(fit, &self.identity)?)
    }

    /// Saves what the end of a run leaves: a checkpoint, so that whoever goes on with the run finds it finished, and
    /// the last model; `scores` are its own, where the step that made it was just taken.
    fn finish(
        &mut self,
        fit: &mut Fit,
        scores: Option<Scores>,
        tell: &mut impl FnMut(Progress<'_>),
    ) -> Result<Outcome, RunError> {
        let State { step, best, ended, .. } = fit.state();
        let end = ended.unwrap_or(End::Finished);
        if end != End::Diverged {
            fit.check_weights()?;
        }
        tell_unless_saved(self.checkpoint(fit), tell);
        if end != End::Diverged {
            let scores = if scores.is_some() { scores } else { fit.score_dev()? };
            save_model(fit, &self.folder.model_last(), scores.as_ref())?;
            if best.is_none() {
                save_model(fit, &self.folder.model_best(), scores.as_ref())?;
            }
        }
        tell_unless_saved(self.record(|events| events.ended(step, end)), tell);
        Ok(Outcome::Ended(end))
    }

    /// Does something with the events, whose errors name their file.
    fn record(&mut self, write: impl FnOnce(&mut Events) -> io::Result<()>) -> Result<(), RunError> {
        write(&mut self.events).map_err(|error| RunError::Io { path: self.folder.events(), error })
    }
}

/// Where a run goes on that was stopped before its first checkpoint, if it is the same run.
fn from_the_start(events: &Path, identity: &Identity) -> Result<Resumed, RunError> {
    let known = Events::read(events).map_err(|error| RunError::Io { path: events.to_owned(), error })?;
    let begun = known.iter().find_map(|event| serde_json::from_value::<Identity>(event.get("identity")?.clone()).ok());
    let differences = begun.map(|begun| begun.differences(identity)).unwrap_or_default();
    if differences.is_empty() {
        return Ok(Resumed { step: 0, damaged: Vec::new() });
    }
    Err(CheckpointError::Changed { path: events.to_owned(), differences }.into())
}

/// Writes the model as it is now, with its own scores.
fn save_model(fit: &mut Fit, path: &Path, scores: Option<&Scores>) -> Result<(), RunError> {
    let step = fit.state().step;
    let bundle = fit.bundle();
    bundle.manifest.scores = scores.map_or_else(|| json!({"step": step}), |dev| json!({"dev": dev, "step": step}));
    Ok(bundle.save(path)?)
}

fn tell_unless_saved(result: Result<(), RunError>, tell: &mut impl FnMut(Progress<'_>)) {
    if let Err(error) = result {
        tell(Progress::NotSaved(error));
    }
}
