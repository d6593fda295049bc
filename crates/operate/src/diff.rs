//! What two models find differently in the same texts.

use std::collections::BTreeMap;

use schema::{Entity, Label, Span};
use serde::Serialize;

/// A place where two models do not find the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference<'a> {
    /// Position of the text.
    pub text: usize,
    /// The bytes that the differing entities cover.
    pub span: Span,
    /// What only the first model finds there.
    pub before: Vec<&'a Entity>,
    /// What only the second model finds there.
    pub after: Vec<&'a Entity>,
}

/// How often two models agree on a label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Entities that both find.
    pub both: usize,
    /// Entities that only the first finds.
    pub only_before: usize,
    /// Entities that only the second finds.
    pub only_after: usize,
}

/// The places where the answers to the same texts differ, in their order; entities that overlap each other stand in one.
/// Answers are sorted, as every recognizer gives them.
pub fn differences<'a>(before: &'a [Vec<Entity>], after: &'a [Vec<Entity>]) -> Vec<Difference<'a>> {
    let mut differences: Vec<Difference<'a>> = Vec::new();
    for (text, (before, after)) in before.iter().zip(after).enumerate() {
        let only = |ours: &'a [Entity], theirs: &'a [Entity]| {
            ours.iter().filter(move |entity| !theirs.iter().any(|other| entity.same_mention(other)))
        };
        let mut found: Vec<(&Entity, bool)> = only(before, after).map(|entity| (entity, false)).collect();
        found.extend(only(after, before).map(|entity| (entity, true)));
        found.sort_by_key(|(entity, is_after)| (entity.span, *is_after));
        let first = differences.len();
        for (entity, is_after) in found {
            let is_apart = differences[first..].last().is_none_or(|open| !open.span.overlaps(entity.span));
            if is_apart {
                differences.push(Difference { text, span: entity.span, before: Vec::new(), after: Vec::new() });
            }
            let Some(difference) = differences.last_mut() else { continue };
            difference.span = difference.span.join(entity.span);
            if is_after { &mut difference.after } else { &mut difference.before }.push(entity);
        }
    }
    differences
}

/// Counts what both find and what only one does, by label.
pub fn agreement(before: &[Vec<Entity>], after: &[Vec<Entity>]) -> BTreeMap<Label, Agreement> {
    let mut by_label: BTreeMap<Label, Agreement> = BTreeMap::new();
    for (before, after) in before.iter().zip(after) {
        for entity in before {
            let agreement = by_label.entry(entity.label.clone()).or_default();
            if after.iter().any(|other| entity.same_mention(other)) {
                agreement.both += 1;
            } else {
                agreement.only_before += 1;
            }
        }
        for entity in after.iter().filter(|entity| !before.iter().any(|other| entity.same_mention(other))) {
            by_label.entry(entity.label.clone()).or_default().only_after += 1;
        }
    }
    by_label
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
    }

    #[test]
    fn entities_that_overlap_are_one_difference_and_equal_ones_are_none() {
        let before = [vec![entity(0, 4, "PER"), entity(8, 12, "LOC")], vec![entity(0, 2, "LOC")]];
        let after = [vec![entity(0, 4, "PER"), entity(6, 10, "LOC"), entity(11, 14, "PER")], Vec::new()];
        let found = differences(&before, &after);
        let told: Vec<_> =
            found.iter().map(|found| (found.text, found.span.range(), found.before.len(), found.after.len())).collect();
        assert_eq!(told, [(0, 6..14, 1, 2), (1, 0..2, 1, 0)]);
        let by_label = agreement(&before, &after);
        assert_eq!(by_label["PER"], Agreement { both: 1, only_before: 0, only_after: 1 });
        assert_eq!(by_label["LOC"], Agreement { both: 0, only_before: 2, only_after: 1 });
    }
}
