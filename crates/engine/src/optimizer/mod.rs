//! `AdamW`, gradient clipping and learning-rate schedules.

mod adamw;
mod schedule;

pub use adamw::{Adamw, AdamwConfig, NotFinite, Stepped};
pub use schedule::{Decay, Schedule};
