//! A training run from files to models: what `train` and `quickstart` share.

mod augmenting;
mod carrying;
mod correcting;
mod cross_validated;
mod data;
mod display;
mod folds;
mod knowledge;
mod outcome;
mod preparation;
mod profiling;
mod tracked;
mod updating;

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::json;
use train::{
    Fit, Flow, Identity, Outcome, Progress as Told, Run, RunConfig, RunError, RunFolder,
    tracking::{Destination, Leaving},
};

use self::{
    augmenting::Measured,
    display::Display,
    preparation::{Prepared, prepare},
    tracked::Tracked,
};
use crate::{fetching, progress::note, signals::Signals};

pub use self::{
    carrying::{carried, carries},
    correcting::correct,
    cross_validated::CrossValidated,
    data::{Data, Set},
    folds::{Folded, Pace, cross_validate},
    knowledge::{Knowledge, Method, rename},
    outcome::{Finished, Judged, best},
};

/// What decides the settings of a run.
pub struct Configuration {
    /// What the user wants: options and files over the defaults.
    pub wanted: RunConfig,
    /// The same over the settings of the run that is gone on with, if one is.
    pub resolved: RunConfig,
    /// Where the run is shown; no part of what it is.
    pub tracking: Vec<Destination>,
}

/// How a run came to its end.
pub enum Ending {
    /// By itself.
    Finished(Box<Finished>),
    /// A signal asked it to; the exit code says which.
    Asked(u8),
}

impl Configuration {
    /// Lays what the user wants over the defaults, and over the settings of a run that was begun.
    pub fn new(
        begun: Option<&RunFolder>,
        wants: impl Fn(RunConfig) -> anyhow::Result<RunConfig>,
    ) -> anyhow::Result<Self> {
        let path = begun.filter(|folder| folder.is_occupied()).map(|folder| folder.join("run.toml"));
        let known = RunConfig::load(path.as_deref(), &[] as &[&str])?;
        Ok(Self { wanted: wants(RunConfig::default())?, resolved: wants(known)?, tracking: Vec::new() })
    }
}

/// Lays a file of settings and single ones before it over a configuration.
pub fn with_options(mut config: RunConfig, file: Option<&Path>, settings: &[String]) -> anyhow::Result<RunConfig> {
    if let Some(path) = file {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        config = config.with_toml(&text, path)?;
    }
    settings.iter().try_fold(config, |config, setting| Ok(config.with_override(setting)?))
}

/// The run that was begun in a folder, if one was; nothing is made. It is refused unless it is to be gone on with.
pub fn begun(out: &Path, resume: bool) -> anyhow::Result<Option<RunFolder>> {
    if !out.join("run.lock").exists() {
        if resume {
            bail!("{}: there is no run in this folder to go on with; start one without --resume", out.display());
        }
        return Ok(None);
    }
    let folder = RunFolder::open(out)?;
    if folder.is_occupied() && !resume {
        return Err(RunError::Occupied(out.to_owned()).into());
    }
    Ok(Some(folder))
}

/// Trains into a folder, from the start or from where the run that was `begun` there is.
pub fn run(out: &Path, begun: Option<RunFolder>, config: &Configuration, data: &Data) -> anyhow::Result<Ending> {
    let mut warnings: Vec<String> = data.check()?.iter().map(ToString::to_string).collect();
    warnings.extend(data.disagreements());
    for warning in &warnings {
        note(&format!("warning: {warning}"));
    }
    let spec = config.resolved.base.clone().context("no base is set; name one with --base")?;
    let base = fetching::fetch(&spec)?;
    let mut prepared = prepare(config, data, &base)?;
    warnings.append(&mut prepared.warnings);

    let folder = match begun {
        Some(folder) => folder,
        None => RunFolder::open(out)?,
    };
    if !folder.is_occupied() {
        let path = folder.join("run.toml");
        fs::write(&path, RunConfig::of(spec, prepared.fit.settings()).to_toml())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let signals = Signals::listen().context("signals cannot be listened for")?;
    // The run's folder says what is going on before the comparison begins, and --resume goes on with either.
    let identity = prepared.identity.clone();
    let mut run = start(&folder, identity, &mut prepared.fit)?;
    let augmented = match augmenting::measure(&folder, &prepared, data, &base, &signals)? {
        Measured::Asked(code) => return Ok(Ending::Asked(code)),
        Measured::Done(augmented) => augmented,
    };
    let Prepared { mut fit, choices, base: facts, .. } = prepared;
    run.describe(json!({"base": base.spec, "data": data.provenance(), "steps": fit.steps()}))?;
    let tracked = Tracked::start(out, &config.tracking, signals);
    let outcome = drive(&mut run, &mut fit, |display| {
        tracked.news().for_each(|line| display.note(&line));
        tracked.leave().is_some()
    });
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            tracked.finish(Leaving::Failed);
            return Err(error.into());
        }
    };
    match outcome {
        Outcome::Stopped => {
            tracked.finish(Leaving::Stopped);
            Ok(Ending::Asked(tracked.leave().unwrap_or_default()))
        }
        Outcome::Ended(end) => {
            let (settings, steps) = (fit.settings().clone(), fit.steps());
            Ok(Ending::Finished(Box::new(Finished {
                folder,
                end,
                settings,
                choices,
                steps,
                base,
                facts,
                warnings,
                augmented,
                tracked,
            })))
        }
    }
}

/// Begins the run of a folder, or goes on with it.
fn start<'f>(folder: &'f RunFolder, identity: Identity, fit: &mut Fit) -> Result<Run<'f>, RunError> {
    if !folder.is_occupied() {
        return Run::begin(folder, identity);
    }
    let run = Run::resume(folder, identity, fit)?;
    if let Some(resumed) = &run.resumed {
        resumed.damaged.iter().for_each(|damage| note(&format!("warning: passed over a damaged checkpoint: {damage}")));
        note(&format!("going on from step {} of {}", resumed.step, fit.steps()));
    }
    Ok(run)
}

/// Takes a run to its end, or to where it `is_to_leave`, which is asked behind every step.
fn drive(run: &mut Run<'_>, fit: &mut Fit, is_to_leave: impl Fn(&Display) -> bool) -> Result<Outcome, RunError> {
    let mut display = Display::new(fit.state().step, fit.steps());
    let outcome = run.drive(fit, |told| {
        match told {
            Told::Step(report) => display.step(report),
            Told::BestSaved => {}
            Told::NotSaved(error) => display.note(&format!("warning: not saved, the run goes on: {error}")),
        }
        if is_to_leave(&display) { Flow::Stop } else { Flow::Continue }
    });
    display.summarize();
    outcome
}
