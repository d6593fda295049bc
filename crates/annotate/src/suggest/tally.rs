//! Suggestions, counted.

use std::collections::BTreeMap;

use schema::Label;

use super::{Grounding, Suggestion};

/// How many suggestions there are, by status and by label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By status.
    pub by_status: BTreeMap<Grounding, usize>,
    /// By label.
    pub by_label: BTreeMap<Label, usize>,
    /// Of these, those that their source took back when it was asked again.
    pub refuted: usize,
}

impl Tally {
    /// Counts these too.
    pub fn add(&mut self, suggestions: &[Suggestion]) {
        for suggestion in suggestions {
            *self.by_status.entry(suggestion.status).or_insert(0) += 1;
            *self.by_label.entry(suggestion.label.clone()).or_insert(0) += 1;
            self.refuted += usize::from(suggestion.verified == Some(false));
        }
    }

    /// How many have this status.
    pub fn of(&self, status: Grounding) -> usize {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.by_status.values().sum()
    }
}
