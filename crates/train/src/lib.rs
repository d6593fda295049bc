//! Fine-tuning: run configuration, batches, the training loop, checkpoints, reports.

mod batches;
mod check;
mod checkpoint;
mod config;
mod dataset;
mod events;
mod facts;
mod fit;
mod folder;
mod identity;
mod passes;
mod plan;
mod report;
mod run;
mod settings;
mod state;

pub use batches::Batches;
pub use check::{DataError, Source, Warning, check};
pub use checkpoint::{CheckpointError, Checkpoints, Resumed};
pub use config::{ConfigError, DEFAULTS, Problem, RunConfig};
pub use dataset::{Dataset, DatasetError, Example};
pub use events::Events;
pub use facts::{BaseFacts, DataFacts, Facts, Lengths};
pub use fit::{Evaluation, Fit, FitError, StepReport, score};
pub use folder::RunFolder;
pub use identity::{Difference, Identity};
pub use plan::{Choice, Plan, plan};
pub use report::{
    Base, Curve, DataSet, EvaluationPoint, RunReport, STYLE, StepPoint, error_case, moment, page, render, visible,
};
pub use run::{Flow, Outcome, Progress, Run, RunError};
pub use settings::{Scheduler, Settings};
pub use state::{End, State};
