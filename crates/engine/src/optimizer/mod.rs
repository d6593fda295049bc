//! `AdamW`, gradient clipping and learning-rate schedules.

mod adamw;
mod anchor;
mod parallel;
mod rows;
mod schedule;

pub use adamw::{Adamw, AdamwConfig, NotFinite, Stepped};
pub use anchor::Anchor;
pub use schedule::{Decay, Schedule};
