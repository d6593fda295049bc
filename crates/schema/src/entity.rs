//! A labelled span.

use crate::{Label, Span};

/// A labelled span of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub label: Label,
    /// How sure whoever found it was, between 0 and 1; `None` for a decision without a score.
    pub score: Option<f32>,
    /// Who found it (a person, a model version, a rule), where that is known.
    pub source: Option<String>,
}

impl Entity {
    /// An entity without score and source.
    pub fn new(span: Span, label: Label) -> Self {
        Self { span, label, score: None, source: None }
    }

    /// Whether span and label are equal; score and source do not count.
    pub fn same_mention(&self, other: &Self) -> bool {
        self.span == other.span && self.label == other.label
    }
}
