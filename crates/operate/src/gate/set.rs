//! A test set with what both models find in it.

use std::collections::{BTreeMap, BTreeSet};

use evaluate::{Judged, Pair, Scores, Twice};
use schema::{Document, Entity, Label};

use super::GateError;

/// Documents with their gold entities, and what the two models find in them.
#[derive(Debug, Clone, Copy)]
pub struct TestSet<'a> {
    /// What the policy and the report call it.
    pub name: &'a str,
    /// The texts and their gold entities.
    pub documents: &'a [Document],
    /// What the live model finds, a list a document.
    pub live: &'a [Vec<Entity>],
    /// What the candidate finds, a list a document.
    pub candidate: &'a [Vec<Entity>],
}

/// The set, of the labels that it says something about.
pub(super) struct Prepared<'a> {
    pub documents: Vec<&'a Document>,
    pub labels: Vec<Label>,
    pub live: Vec<Judged<'a>>,
    pub candidate: Vec<Judged<'a>>,
    /// Predictions of either model that were left out.
    pub unjudged: [usize; 2],
}

impl<'a> TestSet<'a> {
    /// Takes out what the set says nothing about: predictions of labels that neither stand in its gold entities nor were
    /// looked for ([`Document::looked_for`]). So a set from before a label was there can judge a model that knows it.
    pub(super) fn prepare(&self) -> Result<Prepared<'a>, GateError> {
        for (side, found) in [("live", self.live.len()), ("candidate", self.candidate.len())] {
            if found != self.documents.len() {
                let (name, expected) = (self.name.to_owned(), self.documents.len());
                return Err(GateError::Lengths { name, side, found, expected });
            }
        }
        let gold = self.documents.iter().flat_map(Document::entities).map(|entity| &entity.label);
        let looked_for = self.documents.iter().filter_map(|document| document.looked_for.as_ref()).flatten();
        let labels: BTreeSet<&Label> = gold.chain(looked_for).collect();
        if labels.is_empty() {
            return Err(GateError::NoEntities(self.name.to_owned()));
        }
        let labels: Vec<Label> = labels.into_iter().cloned().collect();
        let judge = |answers: &'a [Vec<Entity>]| -> (Vec<Judged<'a>>, usize) {
            let pairs = self.documents.iter().zip(answers);
            let judge = |(document, predicted): (&'a Document, &'a Vec<Entity>)| {
                Pair { document, predicted: predicted.as_slice() }.judge(Some(&labels))
            };
            let judged: Vec<Judged<'a>> = pairs.map(judge).collect();
            let kept: usize = judged.iter().map(|text| text.predicted.len()).sum();
            let all: usize = answers.iter().map(Vec::len).sum();
            (judged, all - kept)
        };
        let ((live, of_live), (candidate, of_candidate)) = (judge(self.live), judge(self.candidate));
        let documents = self.documents.iter().collect();
        Ok(Prepared { documents, labels, live, candidate, unjudged: [of_live, of_candidate] })
    }
}

impl Prepared<'_> {
    /// The counts of both models in the texts that have any: over all labels, then by label in the labels' order.
    pub fn groups(&self) -> Vec<Vec<Twice>> {
        let place: BTreeMap<&Label, usize> = self.labels.iter().zip(1..).collect();
        let mut groups = vec![Vec::new(); self.labels.len() + 1];
        for (text, (live, candidate)) in self.live.iter().zip(&self.candidate).enumerate() {
            let [before, after] = [live, candidate].map(|judged| Scores::of([judged]));
            let named: BTreeSet<&Label> = before.by_label().keys().chain(after.by_label().keys()).collect();
            if named.is_empty() {
                continue;
            }
            groups[0].push(Twice { text, before: before.micro(), after: after.micro() });
            for label in named {
                let [before, after] =
                    [&before, &after].map(|scores| scores.by_label().get(label).copied().unwrap_or_default());
                groups[place[label]].push(Twice { text, before, after });
            }
        }
        groups
    }
}
