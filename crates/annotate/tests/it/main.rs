//! Suggestions as those who ask for them see them.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod ground;
mod lexicon;
mod planted;
mod weigh;

use schema::Label;

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}
