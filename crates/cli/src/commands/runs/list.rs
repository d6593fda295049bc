//! Runs in a table, one a line.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use train::RunSummary;

use super::shown;
use crate::{output, table::Table};

/// Prints the runs.
pub fn run(runs: &[RunSummary], json: bool) -> anyhow::Result<()> {
    if json {
        return output::print_json(&runs.iter().map(as_json).collect::<Vec<_>>());
    }
    let mut table = Table::default();
    let head = ["run", "started (UTC)", "base", "texts", "steps", "dev F1", "test F1", "state"];
    table.row(head.map(str::to_owned));
    for run in runs {
        table.row([
            run.path.display().to_string(),
            begun(run).unwrap_or_else(|| "-".to_owned()),
            run.base.clone().unwrap_or_else(|| "-".to_owned()),
            run.data.get("train").map_or_else(|| "-".to_owned(), |train| train.texts.to_string()),
            steps(run),
            shown(run.dev.map(|dev| dev.f1)),
            shown(run.test.map(|test| test.f1)),
            run.state.name().to_owned(),
        ]);
    }
    Ok(output::print(&table.render())?)
}

/// When a run was begun.
fn begun(run: &RunSummary) -> Option<String> {
    let moment = train::moment(UNIX_EPOCH + Duration::from_millis(run.begun?));
    Some(moment.trim_end_matches(" UTC").to_owned())
}

/// Steps that were taken, of those that it was to have.
pub fn steps(run: &RunSummary) -> String {
    let taken = run.curve.step();
    run.planned.map_or_else(|| taken.to_string(), |planned| format!("{taken}/{planned}"))
}

/// A run for a program.
pub fn as_json(run: &RunSummary) -> Value {
    json!({
        "path": run.path.display().to_string(),
        "name": run.name(),
        "begun": run.begun,
        "base": run.base,
        "data": run.data,
        "step": run.curve.step(),
        "steps": run.planned,
        "best_step": run.curve.best().map(|best| best.step),
        "dev": run.dev,
        "test": run.test,
        "state": run.state.name(),
    })
}
