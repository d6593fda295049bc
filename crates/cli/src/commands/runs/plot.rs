//! The curves of runs, as a page.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use train::{RunCurve, RunSummary};

use super::found;
use crate::progress::note;

/// Draw loss and dev F1 of runs over their steps, as one HTML page
#[derive(Args)]
pub struct Arguments {
    /// Runs, or folders with runs below them [default: the project's]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The page
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runs = found(&arguments.folders)?;
    let names: Vec<String> = runs.iter().map(RunSummary::name).collect();
    let is_unique = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let names: Vec<String> = names
        .iter()
        .zip(&runs)
        .map(|(name, run)| if is_unique(name) { name.clone() } else { run.path.display().to_string() })
        .collect();
    let curves: Vec<RunCurve<'_>> =
        runs.iter().zip(&names).map(|(run, name)| RunCurve { name, curve: &run.curve }).collect();
    fs::write(&arguments.out, train::render_runs(&curves))
        .with_context(|| format!("{} cannot be written", arguments.out.display()))?;
    note(&format!("{} runs: {}", runs.len(), arguments.out.display()));
    Ok(())
}
