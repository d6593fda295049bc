//! Two annotators side by side.

use schema::Entity;
use serde::Serialize;

use super::cohen_kappa;
use crate::{
    Confusion, Counts, Judged, Rule,
    matching::{Matching, Side},
};

/// How far two annotators agree on the texts that both annotated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Between {
    /// One of them.
    pub one: String,
    /// The other.
    pub other: String,
    /// Number of texts that both annotated.
    pub texts: usize,
    /// Entities with equal span and label, taking the one for gold and the other for predictions; F1 is the same either way.
    pub spans: Counts,
    /// Entities with equal span, whatever the label.
    pub boundaries: Counts,
    /// Cohen's kappa over tokens; `None` where neither ever marked anything, or both one label throughout.
    pub kappa: Option<f64>,
    /// What they do not agree on.
    pub disagreements: Disagreements,
    /// Labels against labels, where the spans are equal; rows are the one's, columns the other's.
    pub confusion: Confusion,
}

/// Entities that two annotators do not agree on. Every entity of either is in one of these counts, or agreed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Disagreements {
    /// Pairs of equal label that overlap.
    pub boundary: usize,
    /// Pairs of equal span.
    pub label: usize,
    /// Pairs that overlap, of different labels.
    pub both: usize,
    /// Entities where the other has nothing (left).
    pub only_one: usize,
    /// Entities where the one has nothing (left).
    pub only_other: usize,
}

/// A comparison under way.
#[derive(Default)]
pub(super) struct Pair<'a> {
    spans: Counts,
    boundaries: Counts,
    disagreements: Disagreements,
    judged: Vec<Judged<'a>>,
    one: Vec<Option<&'a str>>,
    other: Vec<Option<&'a str>>,
}

impl<'a> Pair<'a> {
    /// Adds a text: the entities of both, and their labels by token.
    pub(super) fn add(
        &mut self,
        one: &'a [Entity],
        other: &'a [Entity],
        one_tokens: &[Option<&'a str>],
        other_tokens: &[Option<&'a str>],
    ) {
        self.spans += Counts::of(Rule::Strict, one, other);
        self.boundaries += Counts::of(Rule::Boundary, one, other);
        let mut matching = Matching::new(one, other);
        let mut paired = 0;
        let mut since = |matching: &Matching<'_>| {
            let new = matching.pairs.len() - paired;
            paired = matching.pairs.len();
            new
        };
        matching.take_equal(|entity| (entity.span, Some(&entity.label)));
        since(&matching);
        matching.take_equal(|entity| (entity.span, None));
        self.disagreements.label += since(&matching);
        matching.take_overlapping(|a, b| a.label == b.label);
        self.disagreements.boundary += since(&matching);
        matching.take_overlapping(|_, _| true);
        self.disagreements.both += since(&matching);
        self.disagreements.only_one += matching.free(Side::Gold).count();
        self.disagreements.only_other += matching.free(Side::Predicted).count();
        self.judged.push(Judged { gold: one.into(), predicted: other.into(), unjudged: 0 });
        self.one.extend(one_tokens);
        self.other.extend(other_tokens);
    }

    pub(super) fn between(self, one: &str, other: &str) -> Between {
        Between {
            one: one.to_owned(),
            other: other.to_owned(),
            texts: self.judged.len(),
            spans: self.spans,
            boundaries: self.boundaries,
            kappa: cohen_kappa(&self.one, &self.other),
            disagreements: self.disagreements,
            confusion: Confusion::of(&self.judged),
        }
    }
}
