//! A training run from files to models: what `train` and `quickstart` share.

mod data;
mod display;
mod outcome;
mod preparation;
mod tracked;

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::json;
use train::{
    Flow, Outcome, Progress as Told, Run, RunConfig, RunError, RunFolder,
    tracking::{Destination, Leaving},
};

use self::{
    display::Display,
    preparation::{Prepared, prepare},
    tracked::Tracked,
};
use crate::{fetching, progress::note, signals::Signals};

pub use self::{
    data::{Data, Set},
    outcome::{Finished, best},
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
    let Prepared { mut fit, identity, choices, base: facts, warnings: of_tokens } = prepare(config, data, &base)?;
    warnings.extend(of_tokens);

    let folder = match begun {
        Some(folder) => folder,
        None => RunFolder::open(out)?,
    };
    let resume = folder.is_occupied();
    if !resume {
        let path = folder.join("run.toml");
        fs::write(&path, RunConfig::of(spec, fit.settings()).to_toml())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let mut run = if resume { Run::resume(&folder, identity, &mut fit)? } else { Run::begin(&folder, identity)? };
    if let Some(resumed) = &run.resumed {
        resumed.damaged.iter().for_each(|damage| note(&format!("warning: passed over a damaged checkpoint: {damage}")));
        note(&format!("going on from step {} of {}", resumed.step, fit.steps()));
    }

    run.describe(json!({"base": base.spec, "data": data.provenance(), "steps": fit.steps()}))?;

    let signals = Signals::listen().context("signals cannot be listened for")?;
    let tracked = Tracked::start(out, &config.tracking, signals);
    let mut display = Display::new(fit.state().step, fit.steps());
    let outcome = run.drive(&mut fit, |told| {
        match told {
            Told::Step(report) => display.step(report),
            Told::BestSaved => {}
            Told::NotSaved(error) => display.note(&format!("warning: not saved, the run goes on: {error}")),
        }
        tracked.news().for_each(|line| display.note(&line));
        if tracked.leave().is_some() { Flow::Stop } else { Flow::Continue }
    });
    display.summarize();
    drop(display);
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
                tracked,
            })))
        }
    }
}
