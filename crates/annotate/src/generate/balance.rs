//! How often each label is to be written.

use std::collections::BTreeMap;

use schema::{Document, Label, Schema};
use thiserror::Error;

/// The share of each label among the entities that are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    shares: Vec<(Label, f64)>,
}

/// Why shares are no balance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BalanceError {
    /// A label that the schema does not have.
    #[error("the balance names `{0}`, which the schema does not have")]
    Unknown(String),
    /// A share that is no number above 0, or nothing to write.
    #[error(
        "the share of `{0}` is not a number of 0 or more, or no label has one above 0; write LABEL=WEIGHT, such as DRUG=2"
    )]
    Share(String),
}

impl Balance {
    /// Every label as often as the others, but for the weights that are given; 1 is that of a label without one.
    ///
    /// # Errors
    /// A weight is given for a label that the schema does not have, or is no number of 0 or more; or all are 0.
    pub fn new(schema: &Schema, weights: &[(String, f64)]) -> Result<Self, BalanceError> {
        if let Some((name, _)) = weights.iter().find(|(name, _)| schema.position(name).is_none()) {
            return Err(BalanceError::Unknown(name.clone()));
        }
        if let Some((name, _)) = weights.iter().find(|(_, weight)| !weight.is_finite() || *weight < 0.0) {
            return Err(BalanceError::Share(name.clone()));
        }
        let weight =
            |label: &Label| weights.iter().find(|(name, _)| name == label.as_str()).map_or(1.0, |(_, weight)| *weight);
        let all: f64 = schema.labels().map(weight).sum();
        if all <= 0.0 {
            return Err(BalanceError::Share(schema.labels().next().map(Label::to_string).unwrap_or_default()));
        }
        Ok(Self { shares: schema.labels().map(|label| (label.clone(), weight(label) / all)).collect() })
    }

    /// The labels to write next, each as often as to be asked for, `count` in all: those that lack most of their share
    /// among what was written and what is asked for.
    pub fn next(&self, written: &BTreeMap<Label, usize>, count: usize) -> Vec<Label> {
        let mut have: Vec<f64> =
            self.shares.iter().map(|(label, _)| written.get(label).copied().unwrap_or(0) as f64).collect();
        let mut next = Vec::with_capacity(count);
        for _ in 0..count {
            let all = have.iter().sum::<f64>() + 1.0;
            let lacks = |at: &usize| self.shares[*at].1 * all - have[*at];
            let wanted = (0..have.len()).filter(|at| self.shares[*at].1 > 0.0);
            // Of labels that lack as much the first of the schema.
            let Some(most) = wanted.max_by(|a, b| lacks(a).total_cmp(&lacks(b)).then(b.cmp(a))) else { break };
            have[most] += 1.0;
            next.push(self.shares[most].0.clone());
        }
        next
    }
}

/// Entities by label.
pub(super) fn counted<'d>(documents: impl IntoIterator<Item = &'d Document>) -> BTreeMap<Label, usize> {
    let mut counts = BTreeMap::new();
    for entity in documents.into_iter().flat_map(Document::entities) {
        *counts.entry(entity.label.clone()).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lacks_most_comes_next() {
        let label = |name| Label::new(name).unwrap();
        let schema = Schema::of_labels(["A", "B", "C"].map(label));
        let even = Balance::new(&schema, &[]).unwrap();
        let names = |labels: Vec<Label>| labels.iter().map(Label::to_string).collect::<String>();
        assert_eq!(names(even.next(&BTreeMap::new(), 6)), "ABCABC");
        assert_eq!(names(even.next(&BTreeMap::from([(label("A"), 4), (label("B"), 1)]), 4)), "CBCB");
        let weighted = Balance::new(&schema, &[("A".into(), 2.0), ("C".into(), 0.0)]).unwrap();
        let next = names(weighted.next(&BTreeMap::new(), 30));
        assert_eq!((next.matches('A').count(), next.matches('C').count()), (20, 0));
        assert!(Balance::new(&schema, &[("X".into(), 1.0)]).is_err());
        assert!(Balance::new(&schema, &[("A".into(), f64::NAN)]).is_err());
        assert!(Balance::new(&schema, &["A", "B", "C"].map(|name| (name.into(), 0.0))).is_err());
    }
}
