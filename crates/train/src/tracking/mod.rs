//! Other places that show a run while it goes on.
//!
//! Every run writes `events.jsonl`, and that file is the source of truth. A tracker takes from it: a thread a tracker
//! reads the file behind the loop, sends what is new, and keeps in `tracking/` how far it has come. The loop never waits
//! for a tracker and never hears of its errors. Whatever a server missed while it was away, and whatever a process left
//! unsent when it died, still lies in the file and is sent later: when the server is back, when the run is gone on with,
//! or by [`sync`].

mod cursor;
mod destination;
mod environment;
mod follower;
mod mlflow;
mod record;
mod tail;
mod tensorboard;

use std::path::Path;

use thiserror::Error;

pub use self::{
    destination::{Destination, DestinationError},
    environment::Environment,
    follower::{Pace, Tracking, sync},
    record::{Moment, Record},
};
use crate::End;

/// Folder below a run's in which trackers keep how far they have come.
pub const FOLDER: &str = "tracking";

/// Beginnings of the names that files in it bear until they are whole.
pub(crate) const UNFINISHED: &str = ".tracking-";

/// Shows a run somewhere else.
pub trait Tracker: Send {
    /// Its name in messages, such as `MLflow at http://127.0.0.1:5000`. Never a credential.
    fn name(&self) -> String;

    /// Takes records over, in order. It passes over those that it took over before, in this process or in an earlier one.
    ///
    /// # Errors
    /// Not all of them were taken over; the same call is made again later where that can help.
    fn send(&mut self, records: &[Record]) -> Result<(), TrackError>;

    /// Shows how the process leaves the run, and takes over the files that a finished run has.
    ///
    /// # Errors
    /// Not all of that was taken over; the same call is made again later where that can help.
    fn close(&mut self, leaving: Leaving) -> Result<(), TrackError>;
}

/// Why a tracker could not take something over.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrackError {
    /// The same may succeed later.
    #[error("{0}")]
    Away(String),
    /// The same cannot succeed until someone changes something.
    #[error("{0}")]
    Refused(String),
}

/// How a process leaves a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// It is over.
    Over(End),
    /// Someone stopped it; it can be gone on with.
    Stopped,
    /// A step went wrong.
    Failed,
}

/// Files and folders of a finished run that are worth keeping with its figures, the small ones first.
const ARTIFACTS: [&str; 4] = ["report.html", "run.toml", "events.jsonl", "model-best"];

/// The name of a run: that of its folder.
pub(crate) fn name_of(run: &Path) -> String {
    let path = run.canonicalize().unwrap_or_else(|_| run.to_owned());
    path.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
}
