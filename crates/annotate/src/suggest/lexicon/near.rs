//! Entries within a few letters, found by the pieces that they share.
//!
//! An entry that is cut into one piece more than letters may differ has at least one piece that does not differ, and
//! that piece stands within as many letters of its place (Li, Deng, Wang and Feng, 2011: *Pass-Join*). Pieces are
//! looked up by a hash, and what they find is compared letter by letter.

use std::collections::HashMap;

use crate::suggest::ground::within;

/// Entries shorter than this have to be written as they are.
const SHORTEST: usize = 5;
/// From this length on two letters may differ.
const LONG: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Near {
    /// Entries by a piece of them: its number, the length of the entry and its letters.
    pieces: HashMap<(usize, usize, u64), Vec<usize>>,
    entries: Vec<(Vec<char>, usize)>,
}

/// How many letters may differ in an entry of this length.
fn bound(letters: usize) -> usize {
    match letters {
        0..SHORTEST => 0,
        SHORTEST..LONG => 1,
        _ => 2,
    }
}

impl Near {
    /// Adds an entry by its folded letters; `known` is what is told when it is found.
    pub(super) fn add(&mut self, letters: &[char], known: usize) {
        let bound = bound(letters.len());
        if bound == 0 {
            return;
        }
        let entry = self.entries.len();
        for (piece, from, to) in cuts(letters.len(), bound) {
            let key = (piece, letters.len(), hash(&letters[from..to]));
            self.pieces.entry(key).or_default().push(entry);
        }
        self.entries.push((letters.to_vec(), known));
    }

    /// The entries nearest to these letters, and how many letters differ.
    pub(super) fn find(&self, letters: &[char]) -> Option<(usize, Vec<usize>)> {
        let mut nearest: Option<(usize, Vec<usize>)> = None;
        let mut seen = Vec::new();
        for length in letters.len().saturating_sub(2)..=letters.len() + 2 {
            let bound = bound(length);
            if bound == 0 || length.abs_diff(letters.len()) > bound {
                continue;
            }
            for (piece, from, to) in cuts(length, bound) {
                for start in from.saturating_sub(bound)..=from + bound {
                    let Some(part) = letters.get(start..start + to - from) else { continue };
                    let Some(entries) = self.pieces.get(&(piece, length, hash(part))) else { continue };
                    for entry in entries {
                        if seen.contains(entry) {
                            continue;
                        }
                        seen.push(*entry);
                        let (known, told) = &self.entries[*entry];
                        let Some(edits) = within(known, letters, bound) else { continue };
                        match &mut nearest {
                            Some((least, found)) if *least == edits => found.push(*told),
                            Some((least, _)) if *least < edits => {}
                            _ => nearest = Some((edits, vec![*told])),
                        }
                    }
                }
            }
        }
        nearest
    }
}

/// The pieces of a length: their number and where they stand.
fn cuts(length: usize, bound: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let count = bound + 1;
    (0..count).map(move |piece| (piece, piece * length / count, (piece + 1) * length / count))
}

/// FNV-1a over letters.
fn hash(letters: &[char]) -> u64 {
    let step = |hash: u64, letter: &char| (hash ^ u64::from(u32::from(*letter))).wrapping_mul(0x0100_0000_01b3);
    letters.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_near_is_found_as_by_comparing_with_every_entry(
            entries in prop::collection::vec("[ab]{3,13}", 1..20), asked in "[ab]{3,13}",
        ) {
            let letters = |text: &str| text.chars().collect::<Vec<char>>();
            let mut near = Near::default();
            for (at, entry) in entries.iter().enumerate() {
                near.add(&letters(entry), at);
            }
            let asked = letters(&asked);
            let edits = |entry: &String| within(&letters(entry), &asked, bound(entry.len())).filter(|_| bound(entry.len()) > 0);
            let least = entries.iter().filter_map(edits).min();
            let mut found = near.find(&asked);
            if let Some((_, found)) = &mut found {
                found.sort_unstable();
            }
            let expected = least.map(|least| (least, (0..entries.len()).filter(|at| edits(&entries[*at]) == Some(least)).collect::<Vec<_>>()));
            prop_assert_eq!(found, expected);
        }
    }
}
