//! Suggestions as those who ask for them see them.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod generate;
mod ground;
mod lexicon;
mod llm;
mod planted;
mod scripted;
mod weigh;

use schema::Label;

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}
