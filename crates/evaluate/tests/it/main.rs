//! What the scores must be: equal to those of seqeval and conlleval, and true to their own definitions.

mod golden;
mod properties;
mod report;
