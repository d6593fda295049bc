//! What became of a text that was asked about.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::suggest::Suggestion;

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was answered.
    Answered,
    /// Its answer was cut off, as often as it was asked for.
    Truncated,
    /// Its answer was in no form that could be read, as often as it was asked for.
    Broken,
    /// The server does not take it.
    Refused,
    /// The server did not answer.
    NoAnswer,
    /// It was not asked about, because the budget is spent.
    Budget,
    /// It was not asked about.
    NotAsked,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Truncated => "truncated",
            Self::Broken => "broken",
            Self::Refused => "refused",
            Self::NoAnswer => "no-answer",
            Self::Budget => "budget",
            Self::NotAsked => "not-asked",
        }
    }
}

/// The suggestions for a text, and what happened on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The suggestions; those of the pieces that were answered.
    pub suggestions: Vec<Suggestion>,
    /// What became of the text; of several pieces or answers, the worst.
    pub state: State,
    /// What the server or the form of the answer had against it, where something had.
    pub problem: Option<String>,
    /// Answers that were cut off.
    pub truncated: usize,
    /// Answers that could not be read.
    pub broken: usize,
    /// Labels that the schema does not have, and how often they were given.
    pub foreign: BTreeMap<String, usize>,
}

impl Outcome {
    pub(super) fn new() -> Self {
        Self {
            suggestions: Vec::new(),
            state: State::Answered,
            problem: None,
            truncated: 0,
            broken: 0,
            foreign: BTreeMap::new(),
        }
    }

    pub(super) fn fail(&mut self, state: State, problem: Option<String>) {
        if state > self.state {
            self.state = state;
            self.problem = problem;
        }
    }
}
