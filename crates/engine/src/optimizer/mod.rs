//! `AdamW`, gradient clipping and learning-rate schedules.

mod adamw;
mod parallel;
mod rows;
mod schedule;

pub use adamw::{Adamw, AdamwConfig, NotFinite, Stepped};
pub use schedule::{Decay, Schedule};
