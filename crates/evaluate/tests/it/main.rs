//! What the scores must be: equal to those of seqeval and conlleval, and true to their own definitions.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

mod agreement;
mod golden;
mod properties;
mod report;
