//! Fine-tuning: run configuration, batches, the training loop, checkpoints, reports.

mod settings;

pub use settings::{Scheduler, Settings};
