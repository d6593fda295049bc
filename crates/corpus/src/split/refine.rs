//! Groups moved and exchanged between parts as long as the labels come nearer to their shares.
//!
//! Giving groups away one after the other looks at the rarest label only. Where groups are large (whole documents
//! with entities of every label) much is left to gain.

use super::stratify::{Wants, Weight};
use crate::mix::{mix, shuffled};

/// Exchanges that are tried for each group and part in a round.
const TRIED: usize = 30;
/// Rounds over all groups.
const ROUNDS: u64 = 8;
/// Exchanges that are looked at in all, which bounds the time for large sets; these have little to gain.
const BUDGET: usize = 20_000_000;

/// Changes `parts`, of which `wants` is what they still want, to something at least as good. The sizes of the parts
/// come no farther from what they should be.
pub(super) fn refine(groups: &[Weight], parts: &mut [usize], mut wants: Wants, seed: u64) {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); wants.documents.len()];
    let mut places = vec![0; groups.len()];
    for (group, part) in parts.iter().enumerate() {
        places[group] = members[*part].len();
        members[*part].push(group);
    }
    let mut looked = 0;
    let mut drawn = mix(seed);
    for round in 0..ROUNDS {
        let mut improved = false;
        for group in shuffled(groups.len(), mix(seed) ^ round) {
            for to in 0..members.len() {
                let from = parts[group];
                if to == from {
                    continue;
                }
                let mut best: Option<(f64, Option<usize>)> = None;
                let alone = (members[from].len() > 1).then_some(None);
                let others = (0..TRIED.min(members[to].len())).map(|_| {
                    drawn = mix(drawn);
                    Some(members[to][(drawn % members[to].len() as u64) as usize])
                });
                for other in alone.into_iter().chain(others) {
                    looked += 1;
                    let gain = wants.gain([from, to], &groups[group], other.map(|other| &groups[other]));
                    if gain > best.map_or(1e-9, |(gain, _)| gain) {
                        best = Some((gain, other));
                    }
                }
                let Some((_, other)) = best else { continue };
                improved = true;
                wants.exchange([from, to], &groups[group], other.map(|other| &groups[other]));
                for (moved, from, to) in [(Some(group), from, to), (other, to, from)] {
                    let Some(moved) = moved else { continue };
                    let place = places[moved];
                    members[from].swap_remove(place);
                    if let Some(filler) = members[from].get(place) {
                        places[*filler] = place;
                    }
                    places[moved] = members[to].len();
                    members[to].push(moved);
                    parts[moved] = to;
                }
            }
            if looked > BUDGET {
                return;
            }
        }
        if !improved {
            return;
        }
    }
}

/// By label, how many entities more a part gets that gives one group and takes another.
fn changes(given: &Weight, taken: Option<&Weight>) -> Vec<(usize, f64)> {
    let (mut given, mut taken) = (given.entities.as_slice(), taken.map_or(&[][..], |taken| &taken.entities));
    let mut changes = Vec::with_capacity(given.len() + taken.len());
    loop {
        let label = match (given.first(), taken.first()) {
            (Some((one, _)), Some((other, _))) => *one.min(other),
            (Some((label, _)), None) | (None, Some((label, _))) => *label,
            (None, None) => return changes,
        };
        changes.push((label, next(&mut taken, label) - next(&mut given, label)));
    }
}

/// The count of the first entry, which is taken off, if it is of this label.
fn next(entities: &mut &[(usize, usize)], label: usize) -> f64 {
    match entities.split_first() {
        Some(((first, count), rest)) if *first == label => {
            *entities = rest;
            *count as f64
        }
        _ => 0.0,
    }
}

impl Wants {
    /// How much nearer to their shares two parts come when the first gives a group to the second and takes another:
    /// the squared distance of every label from its share, in units of the share. Nothing is to be gained where a
    /// part's size would come farther from what it should be.
    fn gain(&self, [from, to]: [usize; 2], given: &Weight, taken: Option<&Weight>) -> f64 {
        let grown = taken.map_or(0.0, |taken| taken.documents as f64) - given.documents as f64;
        let [here, there] = [self.documents[from], self.documents[to]];
        if (here - grown).abs() + (there + grown).abs() > here.abs() + there.abs() {
            return 0.0;
        }
        let gain = |(label, change): (usize, f64)| {
            let squares = |part: usize, change: f64| {
                let want = self.entities[part][label];
                (want * want - (want - change) * (want - change)) / self.shares[part][label].max(0.5)
            };
            squares(from, change) + squares(to, -change)
        };
        changes(given, taken).into_iter().map(gain).sum()
    }

    fn exchange(&mut self, [from, to]: [usize; 2], given: &Weight, taken: Option<&Weight>) {
        let grown = taken.map_or(0.0, |taken| taken.documents as f64) - given.documents as f64;
        self.documents[from] -= grown;
        self.documents[to] += grown;
        for (label, change) in changes(given, taken) {
            self.entities[from][label] -= change;
            self.entities[to][label] += change;
        }
    }
}
