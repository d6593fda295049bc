//! All rows of all sets, and what they come to.

use std::collections::BTreeSet;

use evaluate::{Change, Draws, Exchanged, Twice};
use schema::Label;
use serde::Serialize;

use super::{GateError, Policy, Row, TestSet, family::holm, set::Prepared};

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateReport {
    /// Whether the candidate may take the live model's place.
    pub passed: bool,
    /// The policy that it was judged by.
    pub policy: Policy,
    /// The test sets in the order that they were given.
    pub sets: Vec<SetReport>,
}

/// What a gate says of one set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetReport {
    /// Its name.
    pub name: String,
    /// Number of texts.
    pub texts: usize,
    /// Predictions of the live model and of the candidate that were left out, because the set says nothing about them.
    pub unjudged: [usize; 2],
    /// All labels first, then label by label.
    pub rows: Vec<Row>,
    /// The entities that only one of the two gets right.
    #[serde(flatten)]
    pub exchanged: Exchanged,
}

/// Judges a candidate against the live model. At most `listed` entities lost and won are listed a label, with `context`
/// characters around.
///
/// # Errors
/// There is no set, two sets have one name, a set has no entities or not one answer a document, or the policy names a set or
/// label that no set has.
pub fn judge(sets: &[TestSet<'_>], policy: &Policy, listed: usize, context: usize) -> Result<GateReport, GateError> {
    if sets.is_empty() {
        return Err(GateError::NoSets);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = sets.iter().find(|set| !names.insert(set.name)) {
        return Err(GateError::SameName(twice.name.to_owned()));
    }
    let prepared: Vec<Prepared<'_>> = sets.iter().map(TestSet::prepare).collect::<Result<_, _>>()?;
    let labels: Vec<(&str, &[Label])> =
        sets.iter().zip(&prepared).map(|(set, prepared)| (set.name, prepared.labels.as_slice())).collect();
    policy.check_names(&labels)?;

    let groups: Vec<Vec<Vec<Twice>>> = prepared.iter().map(Prepared::groups).collect();
    let rows = groups.iter().map(Vec::len).sum();
    let draws = Draws { level: policy.confidence, resamples: policy.resamples_for(rows), seed: policy.seed };
    let changes: Vec<Vec<Change>> =
        prepared.iter().zip(&groups).map(|(set, groups)| Change::of(set.documents.len(), groups, &draws)).collect();
    let is_judged = |change: &Change| change.before.gold >= policy.min_support.max(1);
    let p_values: Vec<f64> =
        changes.iter().flatten().filter(|change| is_judged(change)).map(|change| change.p_drop).collect();
    let mut corrected = holm(&p_values).into_iter();

    let mut reports = Vec::with_capacity(sets.len());
    for ((set, prepared), changes) in sets.iter().zip(&prepared).zip(changes) {
        let labels = [None].into_iter().chain(prepared.labels.iter().cloned().map(Some));
        let row = |(label, change): (Option<Label>, Change)| {
            let corrected = if is_judged(&change) { corrected.next() } else { None };
            let bound = policy.bound(set.name, label.as_ref());
            Row::judge(label, change, corrected, bound, policy)
        };
        reports.push(SetReport {
            name: set.name.to_owned(),
            texts: set.documents.len(),
            unjudged: prepared.unjudged,
            rows: labels.zip(changes).map(row).collect(),
            exchanged: Exchanged::of(&prepared.documents, &prepared.live, &prepared.candidate, listed, context),
        });
    }
    let passed = !reports.iter().flat_map(|set| &set.rows).any(|row| row.fails);
    Ok(GateReport { passed, policy: policy.clone(), sets: reports })
}
