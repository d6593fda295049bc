//! The log of what a model was asked and what it answered: JSON lines in files of bounded size.
//!
//! [`PredictionLog`] writes them on a thread of its own, so that nobody who asks the model waits for a disk; [`Rows`] reads
//! them. What drift needs is computed when a row is written, because the text is usually not kept: its length, its language,
//! how many of its words training never saw, and for each entity whether its surface is one that training knew. The format
//! is written down in `docs/monitoring.md`.

mod files;
mod log;
mod reader;
mod row;

pub use log::{LogCounts, LogError, LogOptions, LoggedModel, Prediction, PredictionLog, WhenFull};
pub use reader::{Rows, RowsError};
pub use row::{Found, Row, TextKeeping};
