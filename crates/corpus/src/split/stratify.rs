//! Groups given to parts so that each part gets its share of every label.

use std::collections::BTreeMap;

use schema::{Document, Label};

use super::refine::refine;
use crate::mix::shuffled;

/// What counts of a group.
pub(super) struct Weight {
    /// Its documents.
    pub(super) documents: usize,
    /// Its entities by the position of their label, ascending.
    pub(super) entities: Vec<(usize, usize)>,
}

/// What every group weighs; labels are numbered in their order.
pub(super) fn weights(groups: &[Vec<usize>], documents: &[&Document]) -> Vec<Weight> {
    let mut numbers: BTreeMap<&Label, usize> = BTreeMap::new();
    for entity in groups.iter().flatten().flat_map(|document| documents[*document].entities()) {
        numbers.insert(&entity.label, 0);
    }
    numbers.values_mut().enumerate().for_each(|(number, value)| *value = number);
    let weight = |group: &Vec<usize>| {
        let mut entities: BTreeMap<usize, usize> = BTreeMap::new();
        for entity in group.iter().flat_map(|document| documents[*document].entities()) {
            *entities.entry(numbers[&entity.label]).or_default() += 1;
        }
        Weight { documents: group.len(), entities: entities.into_iter().collect() }
    };
    groups.iter().map(weight).collect()
}

/// What the parts still want.
pub(super) struct Wants {
    /// Documents, a part.
    pub(super) documents: Vec<f64>,
    /// Entities, a part and label.
    pub(super) entities: Vec<Vec<f64>>,
    /// What they wanted of these at first.
    pub(super) shares: Vec<Vec<f64>>,
}

/// The part of every group. Parts want `sizes` documents, and of the entities of each label as large a share.
///
/// The rarest label goes first, since nothing could be made good later for it, and of its groups the heaviest; each
/// goes to the part that wants most of this label among those that have room for the group. What then still lies
/// off is mended by exchanges ([`refine`]).
pub(super) fn assign(groups: &[Weight], sizes: &[usize], seed: u64) -> Vec<usize> {
    let labels = groups.iter().flat_map(|group| &group.entities).map(|(label, _)| label + 1).max().unwrap_or(0);
    let mut entities = vec![0.0; labels];
    for (label, count) in groups.iter().flat_map(|group| &group.entities) {
        entities[*label] += *count as f64;
    }
    let total = sizes.iter().sum::<usize>().max(1) as f64;
    let share = |size: &usize| entities.iter().map(|count| count * *size as f64 / total).collect();
    let shares: Vec<Vec<f64>> = sizes.iter().map(share).collect();
    let documents = sizes.iter().map(|size| *size as f64).collect();
    let mut wants = Wants { documents, entities: shares.clone(), shares };

    let order = shuffled(groups.len(), seed);
    let mut holders: Vec<Vec<(usize, usize)>> = vec![Vec::new(); labels];
    for group in &order {
        for (label, count) in &groups[*group].entities {
            holders[*label].push((*group, *count));
        }
    }
    let mut left: Vec<usize> = holders.iter().map(Vec::len).collect();
    let mut parts: Vec<Option<usize>> = vec![None; groups.len()];
    let rarest = |left: &[usize]| (0..labels).filter(|label| left[*label] > 0).min_by_key(|label| left[*label]);
    while let Some(label) = rarest(&left) {
        let mut holders = std::mem::take(&mut holders[label]);
        // Stable, so that the seed decides among equals.
        holders.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (group, _) in holders {
            if parts[group].is_none() {
                parts[group] = Some(wants.give(&groups[group], Some(label)));
                groups[group].entities.iter().for_each(|(label, _)| left[*label] -= 1);
            }
        }
    }
    let mut others: Vec<usize> = order.into_iter().filter(|group| parts[*group].is_none()).collect();
    others.sort_by_key(|group| std::cmp::Reverse(groups[*group].documents));
    for group in others {
        parts[group] = Some(wants.give(&groups[group], None));
    }
    let mut parts: Vec<usize> = parts.into_iter().flatten().collect();
    refine(groups, &mut parts, wants, seed);
    parts
}

impl Wants {
    /// The part that a group goes to, which from then on wants so much less.
    fn give(&mut self, group: &Weight, label: Option<usize>) -> usize {
        let size = group.documents as f64;
        let wanted = |part: usize| label.map_or(0.0, |label| self.entities[part][label]);
        let more = |a: &usize, b: &usize| {
            let by_label = wanted(*a).total_cmp(&wanted(*b));
            // Of equals the first.
            by_label.then(self.documents[*a].total_cmp(&self.documents[*b])).then(b.cmp(a))
        };
        let parts = 0..self.documents.len();
        let roomy = parts.clone().filter(|part| self.documents[*part] >= size).max_by(more);
        let part =
            roomy.or_else(|| parts.max_by(|a, b| self.documents[*a].total_cmp(&self.documents[*b]).then(b.cmp(a))));
        let part = part.unwrap_or(0);
        self.documents[part] -= size;
        group.entities.iter().for_each(|(label, count)| self.entities[part][*label] -= *count as f64);
        part
    }
}
