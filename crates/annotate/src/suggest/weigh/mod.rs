//! Several sources, each believed as far as it deserves.
//!
//! For every span that a source suggests each source has a vote: a label, nothing (it looked and suggested nothing
//! there), or none at all (it did not look at the text, or does not know the label). How often a source is right, misses
//! and makes things up, by label, is estimated together with what the spans are by expectation maximization (Dawid and
//! Skene, 1979: *Maximum likelihood estimation of observer error-rates*), without gold and better with it. Spans that
//! nobody suggested are not seen; that is allowed for in the likelihood and in the estimates (zero truncation).

mod candidates;
mod estimate;

use schema::{Entity, Label};
use serde::Serialize;

use self::{
    candidates::Candidates,
    estimate::{Estimated, estimate},
};
use super::{Origin, OriginKind, Suggestion};

/// A text and what its sources say of it.
#[derive(Debug, Clone)]
pub struct Opinions<'o> {
    /// The text.
    pub text: &'o str,
    /// For each source what it suggests; `None` where it did not look at the text.
    pub by_source: Vec<Option<&'o [Suggestion]>>,
    /// What is in the text for certain, where that is known.
    pub gold: Option<&'o [Entity]>,
}

/// How good a source is at a label, as far as can be told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// The label.
    pub label: Label,
    /// The share of its entities that the source finds, with this label.
    pub recall: f64,
    /// The share of the source's suggestions of this label that hold.
    pub precision: f64,
    /// How many suggestions of this label the source made.
    pub suggested: usize,
}

/// What comes of all sources together.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// For each text every span that a source suggested, with the likeliest of the labels that it got and the probability
    /// of that.
    pub suggestions: Vec<Vec<Suggestion>>,
    /// For each source its accuracy by label, for the labels that it knows.
    pub accuracy: Vec<Vec<Accuracy>>,
    /// Rounds of the estimation.
    pub rounds: usize,
}

/// The name of what several sources say together.
pub const COMBINED: &str = "label-model";

/// Judges all texts by all sources. What a source is not sure enough of (`threshold`), what is ambiguous and what has no
/// place is not its vote.
pub fn weigh(opinions: &[Opinions<'_>], sources: usize, threshold: f32) -> Weighed {
    let candidates = Candidates::of(opinions, sources, threshold);
    let Estimated { probabilities, accuracy, rounds } = estimate(&candidates, sources);
    let origin = Origin::new(OriginKind::Combined, COMBINED);
    let mut suggestions: Vec<Vec<Suggestion>> = vec![Vec::new(); opinions.len()];
    for (item, probabilities) in candidates.items.iter().zip(&probabilities) {
        let voted = (0..candidates.labels.len()).filter(|label| item.votes.contains(&Some(*label)));
        let best = voted.max_by(|a, b| {
            // Of equally likely ones the first.
            probabilities[*a].total_cmp(&probabilities[*b]).then(b.cmp(a))
        });
        let Some(best) = best else { continue };
        let score = Some(probabilities[best].clamp(0.0, 1.0) as f32);
        let (text, label) = (opinions[item.text].text, candidates.labels[best].clone());
        let combined = Suggestion::exact(text, item.span, label, score, origin.clone());
        suggestions[item.text].push(Suggestion { status: item.status, ..combined });
    }
    Weighed { suggestions, accuracy, rounds }
}

/// What more than half of the sources that looked at a text agree on; the score is their share.
pub fn majority(opinions: &[Opinions<'_>], sources: usize, threshold: f32) -> Vec<Vec<Suggestion>> {
    let candidates = Candidates::of(opinions, sources, threshold);
    let origin = Origin::new(OriginKind::Combined, "majority");
    let mut suggestions: Vec<Vec<Suggestion>> = vec![Vec::new(); opinions.len()];
    for item in &candidates.items {
        let looked = item.votes.iter().flatten().count();
        for (at, label) in candidates.labels.iter().enumerate() {
            let votes = item.votes.iter().filter(|vote| **vote == Some(at)).count();
            if 2 * votes > looked {
                let score = Some(votes as f32 / looked as f32);
                let text = opinions[item.text].text;
                suggestions[item.text].push(Suggestion::exact(text, item.span, label.clone(), score, origin.clone()));
            }
        }
    }
    suggestions
}
