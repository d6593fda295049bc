//! Runs side by side: what differs between them, and how they score.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::Args;
use serde_json::json;
use train::RunSummary;

use super::{found, list, shown};
use crate::{output, table::Table};

/// Put runs side by side: the settings that differ, and the scores
#[derive(Args)]
pub struct Arguments {
    /// Runs, or folders with runs below them
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

/// Characters of a checksum that tell it from another one.
const SUM: usize = 12;

/// A row of the scores: its name and what a run has there.
type Row = (&'static str, fn(&RunSummary) -> String);

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runs = found(&arguments.folders)?;
    let differing = differing(&runs);
    if arguments.json {
        return output::print_json(&json!({
            "runs": runs.iter().map(list::as_json).collect::<Vec<_>>(),
            "differing": differing,
        }));
    }
    let mut table = Table::default();
    table.row([String::new()].into_iter().chain(runs.iter().map(RunSummary::name)));
    for (field, values) in &differing {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        table.row([field.clone()].into_iter().chain(values.iter().map(shown)));
    }
    table.row([]);
    let rows: [Row; 9] = [
        ("steps", list::steps),
        ("best at step", |run| run.curve.best().map_or_else(|| "-".to_owned(), |best| best.step.to_string())),
        ("dev F1", |run| shown(run.dev.map(|dev| dev.f1))),
        ("dev precision", |run| shown(run.dev.map(|dev| dev.precision))),
        ("dev recall", |run| shown(run.dev.map(|dev| dev.recall))),
        ("test F1", |run| shown(run.test.map(|test| test.f1))),
        ("pieces/s", |run| run.curve.pieces_per_second().map_or_else(|| "-".to_owned(), |speed| format!("{speed:.0}"))),
        ("training, s", |run| format!("{:.0}", run.curve.training_time().as_secs_f64())),
        ("state", |run| run.state.name().to_owned()),
    ];
    for (name, of) in rows {
        table.row([name.to_owned()].into_iter().chain(runs.iter().map(of)));
    }
    let is_same = differing.is_empty() && runs.len() > 1;
    let same = if is_same { "\nsettings, base and data are the same\n" } else { "" };
    Ok(output::print(&(table.render() + same))?)
}

/// What is not the same in all runs, by name: what each of them has, `None` where its events do not say.
fn differing(runs: &[RunSummary]) -> BTreeMap<String, Vec<Option<String>>> {
    let known: Vec<BTreeMap<String, String>> = runs.iter().map(fields).collect();
    let names: BTreeSet<&String> = known.iter().flat_map(BTreeMap::keys).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), known.iter().map(|fields| fields.get(name).cloned()).collect::<Vec<_>>()))
        .filter(|(_, values)| values.iter().any(|value| *value != values[0]))
        .collect()
}

/// Everything that decides a run's outcome, in words that a person reads.
fn fields(run: &RunSummary) -> BTreeMap<String, String> {
    let plain = |text: &String| serde_json::from_str::<String>(text).unwrap_or_else(|_| text.clone());
    let mut fields: BTreeMap<String, String> = run
        .identity
        .iter()
        .map(|(name, value)| {
            let (name, value) = (name.strip_prefix("settings.").unwrap_or(name), plain(value));
            let is_sum = name.starts_with("data.") || name.starts_with("base.");
            let value = if is_sum { value.chars().take(SUM).collect() } else { value };
            (name.to_owned(), value)
        })
        .collect();
    if let Some(base) = &run.base {
        fields.insert("base".to_owned(), base.clone());
    }
    for (name, set) in &run.data {
        fields.insert(format!("data.{name}.file"), format!("{}, {} texts", set.file, set.texts));
    }
    fields
}
