//! Fine-tuning: run configuration, batches, the training loop, cross-validation, checkpoints, reports, tracking.

mod augment;
mod batches;
mod bias;
mod check;
mod checkpoint;
mod config;
mod cross_validation;
mod dataset;
mod events;
mod facts;
mod fit;
mod folder;
mod identity;
mod label_errors;
mod passes;
mod plan;
mod report;
mod run;
mod settings;
mod state;
mod summary;
mod target;
mod teacher;
mod teacher_labels;
pub mod tracking;
mod verdict;

pub use augment::{Augment, Augmentations};
pub use batches::Batches;
pub use bias::correct_bias;
pub use check::{DataError, Source, Warning, check};
pub use checkpoint::{CheckpointError, Checkpoints, Resumed};
pub use config::{ConfigError, DEFAULTS, Problem, RunConfig};
pub use cross_validation::{CrossValidation, CrossValidationError};
pub use dataset::{Dataset, DatasetError, Example};
pub use events::Events;
pub use facts::{BaseFacts, DataFacts, Facts, Lengths};
pub use fit::{Evaluation, Fit, FitError, StepReport, of_both, score};
pub use folder::RunFolder;
pub use identity::{Difference, Identity};
pub use label_errors::{LabelError, label_errors};
pub use plan::{Choice, Plan, plan};
pub use report::{
    Base, Curve, DataSet, EvaluationPoint, RunCurve, RunReport, STYLE, StepPoint, error_case, moment, page, render,
    render_runs, visible,
};
pub use run::{Flow, Outcome, Progress, Run, RunError};
pub use settings::{Scheduler, Settings};
pub use state::{End, State};
pub use summary::{DataLine, RunState, RunSummary, Scored};
pub use target::{RowTarget, Taught};
pub use teacher::Teacher;
pub use teacher_labels::{add_teacher_labels, calibrated_confidence};
pub use verdict::{Unjudged, Verdict, VerdictError, verdicts};
