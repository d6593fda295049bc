//! `nomen runs`: training runs, from what their events say.

mod compare;
mod list;
mod plot;
mod sync;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use train::RunSummary;

use crate::project::Project;

/// List, compare and plot training runs; send what a tracker missed
#[derive(Args)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Runs, or folders with runs below them [default: the project's]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Print the runs as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    Compare(compare::Arguments),
    Plot(plot::Arguments),
    Sync(sync::Arguments),
}

const HELP: &str = "\
Everything is read from the runs' events.jsonl, while they are trained as well as later.
A folder that is called like a command is named as ./compare.

Examples:
  nomen runs runs
  nomen runs compare runs/a runs/b
  nomen runs plot runs --out runs.html
  nomen runs sync runs/a";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        None => list::run(&found(&arguments.folders)?, arguments.json)?,
        Some(Action::Compare(arguments)) => compare::run(arguments)?,
        Some(Action::Plot(arguments)) => plot::run(arguments)?,
        Some(Action::Sync(arguments)) => return sync::run(arguments),
    }
    Ok(ExitCode::SUCCESS)
}

/// Folders below a folder in which runs are looked for.
const DEPTH: usize = 4;

/// The runs in these folders and below them, the first begun first; those of the project where none are named.
fn found(folders: &[PathBuf]) -> anyhow::Result<Vec<RunSummary>> {
    let mut paths = Vec::new();
    let folders = match folders {
        [] => match Project::find()? {
            Some(project) => vec![project.runs()],
            None => bail!("name the folders of the runs, or work in a project (`nomen init DIR`)"),
        },
        folders => folders.to_vec(),
    };
    for folder in &folders {
        let before = paths.len();
        look(folder, DEPTH, &mut paths).with_context(|| format!("{} cannot be read", folder.display()))?;
        if paths.len() == before {
            bail!("{}: there is no run in it; a run has a file events.jsonl", folder.display());
        }
    }
    let mut seen = Vec::new();
    paths.retain(|path| {
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        let is_new = !seen.contains(&whole);
        seen.push(whole);
        is_new
    });
    let read = |path: &PathBuf| RunSummary::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let mut runs: Vec<RunSummary> = paths.iter().map(read).collect::<anyhow::Result<_>>()?;
    runs.sort_by_key(|run| run.begun);
    Ok(runs)
}

fn look(folder: &Path, depth: usize, runs: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if folder.join("events.jsonl").is_file() {
        runs.push(folder.to_owned());
        return Ok(());
    }
    let mut below = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Links are not followed: they may lead back.
        if entry.file_type()?.is_dir() {
            below.push(entry.path());
        }
    }
    below.sort();
    if depth > 0 {
        for folder in below {
            // A folder below that may not be read holds no run of this user.
            let _ = look(&folder, depth - 1, runs);
        }
    }
    Ok(())
}

/// A score for a table.
fn shown(score: Option<f64>) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{score:.4}"))
}
