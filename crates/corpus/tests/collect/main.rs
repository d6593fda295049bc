//! Collecting, from sources to rows; a process of its own, because other tests measure their memory.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod folders;
mod resume;
mod server;
mod web;

use std::{fs, path::Path, time::Duration};

use nomen_corpus::{
    Format,
    collect::{CollectError, CollectOptions, Collector, Outcome, Reason, Source, Summary},
};
use schema::Document;

/// Options of tests: no waiting, and the loopback may be asked.
fn options() -> CollectOptions {
    let patience = Duration::from_secs(20);
    CollectOptions { rate: Duration::ZERO, allow_private: true, patience, ..CollectOptions::default() }
}

fn sources<S: AsRef<str>>(names: &[S]) -> Vec<Source> {
    names.iter().map(|name| Source::named(name.as_ref()).unwrap()).collect()
}

/// Collects to the end.
fn collect(sources: &[Source], out: &Path, options: &CollectOptions) -> Result<Summary, CollectError> {
    let mut collector = Collector::open(sources, out, options.clone())?;
    while collector.step()?.is_some() {}
    collector.finish()
}

/// What became of each source, in order.
fn outcomes<S: AsRef<str>>(names: &[S], options: &CollectOptions) -> Vec<(String, Outcome)> {
    let folder = tempfile::tempdir().unwrap();
    let mut collector = Collector::open(&sources(names), folder.path().join("out"), options.clone()).unwrap();
    let mut outcomes = Vec::new();
    while let Some(step) = collector.step().unwrap() {
        outcomes.push((step.source, step.outcome));
    }
    outcomes
}

/// The reason and detail for which the only source was skipped.
#[track_caller]
fn skipped(name: &str, options: &CollectOptions) -> (Reason, String) {
    match outcomes(&[name], options).pop().unwrap().1 {
        Outcome::Skipped(skipped) => (skipped.reason, skipped.detail),
        other => panic!("{other:?}"),
    }
}

fn documents(path: &Path) -> Vec<Document> {
    nomen_corpus::read_all(path, Some(Format::Jsonl)).unwrap().0
}

fn texts(path: &Path) -> Vec<String> {
    documents(path).iter().map(|document| document.text().to_owned()).collect()
}

/// The rows, without the time at which the run began.
fn rows(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let row = |line: &str| {
        let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
        let begun = row["meta"]["collected"].take();
        assert_eq!(begun.as_str().unwrap().len(), "2024-01-01T00:00:00Z".len());
        row.to_string()
    };
    text.lines().map(row).collect::<Vec<_>>().join("\n")
}
