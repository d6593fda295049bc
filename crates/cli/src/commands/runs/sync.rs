//! What a tracker does not have yet of a run, sent to it.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use train::{
    RunFolder,
    tracking::{self, Destination, Environment, Pace},
};

use crate::{output, progress::note};

/// Send what trackers do not have yet of runs: the server was away, or the run was stopped
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    // Not a doc comment: rustdoc would read the address as a link.
    #[arg(
        long,
        value_name = "TRACKER",
        help = "Send there instead, as for `nomen train --track` [default: wherever the run was shown before]"
    )]
    track: Vec<String>,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit codes: 0 every tracker has everything, 1 one could not be reached or refused, 2 wrong usage.

Examples:
  nomen runs sync runs/a
  nomen runs sync runs/a --track mlflow:http://127.0.0.1:5000";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let parse = |given: &String| Destination::parse(given, None, &environment).context("--track");
    let given: Vec<Destination> = arguments.track.iter().map(parse).collect::<anyhow::Result<_>>()?;
    let mut plans = Vec::new();
    for run in &arguments.runs {
        if !run.join("events.jsonl").is_file() {
            bail!("{}: there is no run in it; a run has a file events.jsonl", run.display());
        }
        let destinations = if given.is_empty() { Destination::known(run) } else { given.clone() };
        if destinations.is_empty() {
            bail!("{}: it was shown nowhere yet; say where by --track", run.display());
        }
        plans.push((run, destinations));
    }
    let (mut outcomes, mut is_whole) = (Vec::new(), true);
    for (run, destinations) in plans {
        // A run that is being trained has its own trackers at work.
        let _held = RunFolder::open(run)?;
        let sent = tracking::sync(run, &destinations, &environment, Pace::default());
        for (name, outcome) in sent.with_context(|| format!("{} cannot be read", run.display()))? {
            is_whole &= outcome.is_ok();
            match &outcome {
                Ok(()) => note(&format!("{}: {name} has everything", run.display())),
                Err(error) => note(&format!("{}: {name} does not have everything: {error}", run.display())),
            }
            let error = outcome.err().map(|error| error.to_string());
            outcomes.push(json!({"run": run.display().to_string(), "tracker": name, "error": error}));
        }
    }
    if arguments.json {
        output::print_json(&outcomes)?;
    }
    Ok(ExitCode::from(u8::from(!is_whole)))
}
