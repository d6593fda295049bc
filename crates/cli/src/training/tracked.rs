//! Where a run is shown while it goes on, as the command line tells of it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use train::tracking::{Destination, Environment, Leaving, Pace, Tracking};

use crate::{commands::program, progress::note, signals::Signals};

/// How long someone who stops a run is kept waiting for its trackers.
const STOPPED: Duration = Duration::from_secs(5);

/// A run's trackers, and the signals that end the waiting for them.
pub struct Tracked {
    run: PathBuf,
    tracking: Tracking,
    signals: Signals,
}

impl Tracked {
    /// Follows the run in a folder, which is begun or gone on with.
    pub fn start(run: &Path, destinations: &[Destination], signals: Signals) -> Self {
        let tracking = Tracking::start(run, destinations, &Environment::of_process(), Pace::default());
        Self { run: run.to_owned(), tracking, signals }
    }

    /// What the trackers have to say.
    pub fn news(&self) -> impl Iterator<Item = String> {
        self.tracking.news().map(|line| told(&line))
    }

    /// The exit code that says which signal asked the process to leave, if one has.
    pub fn leave(&self) -> Option<u8> {
        self.signals.leave()
    }

    /// Lets the trackers show what is left. The end of a run is not waited for when a signal comes, nor for ever when one
    /// has come before.
    pub fn finish(&self, leaving: Leaving) {
        let begun = Instant::now();
        let was_asked = self.leave().is_some();
        let go_on = || if was_asked { begun.elapsed() < STOPPED } else { self.leave().is_none() };
        if !self.tracking.finish(leaving, go_on, |line| note(&told(line))) {
            note(&told(&format!("the rest is sent by `{} runs sync {}`", program(), self.run.display())));
        }
    }
}

fn told(line: &str) -> String {
    format!("tracking: {line}")
}
