//! Trackers: whatever a server does, the run goes on and nothing is lost.

mod mlflow;
mod server;
mod tensorboard;

use std::{collections::BTreeMap, path::Path, time::Duration};

use nomen_train::{
    Flow, Outcome, Progress, Run, RunFolder, Settings,
    tracking::{Destination, Environment, Leaving, Moment, Pace, Record, Tracking},
};

use crate::sample;

/// A pace at which tests end soon.
const PACE: Pace = Pace {
    look: Duration::from_millis(2),
    rests: 1,
    first_wait: Duration::from_millis(2),
    longest_wait: Duration::from_millis(20),
    patience: Duration::from_secs(2),
};

fn destination(given: &str) -> Destination {
    Destination::parse(given, None, &Environment::default()).unwrap()
}

/// A run in a folder, begun or gone on with, shown at these places; also what the trackers had to say. `observe` is called
/// before every step, and ends the process' part of the run at `Stop`, as an interruption would.
fn tracked(
    path: &Path,
    settings: &Settings,
    destinations: &[Destination],
    environment: &Environment,
    mut observe: impl FnMut(u64) -> Flow,
) -> (Outcome, Vec<String>) {
    let folder = RunFolder::open(path).unwrap();
    let mut fit = sample::fit(settings.clone());
    let identity = sample::identity(settings);
    let mut run = if folder.is_occupied() {
        Run::resume(&folder, identity, &mut fit).unwrap()
    } else {
        Run::begin(&folder, identity).unwrap()
    };
    run.describe(serde_json::json!({"base": "path:tiny", "steps": fit.steps()})).unwrap();
    let tracking = Tracking::start(path, destinations, environment, PACE);
    let mut told = Vec::new();
    let outcome = run
        .drive(&mut fit, |progress| {
            told.extend(tracking.news());
            if let Progress::Step(report) = progress { observe(report.step) } else { Flow::Continue }
        })
        .unwrap();
    let leaving = match outcome {
        Outcome::Ended(end) => Leaving::Over(end),
        Outcome::Stopped => Leaving::Stopped,
    };
    tracking.finish(leaving, || true, |line| told.push(line.to_owned()));
    (outcome, told)
}

/// Every number of a run's events, by name and step.
fn numbers(path: &Path) -> BTreeMap<(String, u64), f64> {
    let events = nomen_train::Events::read(&path.join("events.jsonl")).unwrap();
    let mut numbers = BTreeMap::new();
    for record in events.iter().filter_map(Record::of) {
        let (Moment::Step(step, values) | Moment::Evaluation(step, values) | Moment::Judged(step, values)) =
            record.moment
        else {
            continue;
        };
        numbers.extend(values.into_iter().map(|(name, value)| ((name, step), value)));
    }
    numbers
}
