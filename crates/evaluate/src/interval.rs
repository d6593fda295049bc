//! How much a score would move on other texts of the same kind.

use std::collections::BTreeMap;

use schema::Label;
use serde::Serialize;

use crate::{Counts, Judged, Scores};

/// Share of the resampled scores that lies in an [`Interval`].
const LEVEL: f64 = 0.95;

/// A percentile bootstrap interval of a score (Efron, 1979): texts are drawn with replacement, because
/// entities of one text are not independent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Share of the resampled scores that lies inside.
    pub level: f64,
    /// How often the texts were drawn anew.
    pub resamples: usize,
    /// Seed of the draws; the same seed, texts and resamples give the same interval on every machine.
    pub seed: u64,
}

impl Interval {
    /// The 95 % interval of the micro F1 from the counts of each text; `None` without texts or resamples.
    pub fn of(texts: &[Counts], resamples: usize, seed: u64) -> Option<Self> {
        Self::bootstrap(texts.len(), resamples, seed, |drawn| drawn.map(|text| texts[text]).sum::<Counts>().f1())
    }

    /// The 95 % interval of the change in recall between two judgements of the same texts, paired: each draw takes a
    /// text's counts before and after together, so that what the texts have in common does not widen the interval.
    pub fn of_recall_change(texts: &[(Counts, Counts)], resamples: usize, seed: u64) -> Option<Self> {
        Self::bootstrap(texts.len(), resamples, seed, |drawn| recall_change(drawn.map(|text| texts[text])))
    }

    /// The 95 % interval of each label's F1; empty without texts or resamples.
    pub fn by_label(texts: &[Judged<'_>], resamples: usize, seed: u64) -> BTreeMap<Label, Self> {
        let mut groups: BTreeMap<Label, Vec<(usize, Counts)>> = BTreeMap::new();
        for (text, judged) in texts.iter().enumerate() {
            for (label, counts) in Scores::of([judged]).by_label() {
                groups.entry(label.clone()).or_default().push((text, *counts));
            }
        }
        if resamples == 0 {
            return BTreeMap::new();
        }
        let (labels, groups): (Vec<Label>, Vec<_>) = groups.into_iter().unzip();
        let score = |group: &Vec<(usize, Counts)>, times: &[usize]| {
            group.iter().map(|(text, counts)| *counts * times[*text]).sum::<Counts>().f1()
        };
        let drawn = resampled(texts.len(), &groups, resamples, seed, score);
        labels.into_iter().zip(drawn.into_iter().map(|scores| Self::of_resampled(scores, LEVEL, seed))).collect()
    }

    fn bootstrap(
        texts: usize,
        resamples: usize,
        seed: u64,
        score: impl Fn(&mut dyn Iterator<Item = usize>) -> f64,
    ) -> Option<Self> {
        if texts == 0 || resamples == 0 {
            return None;
        }
        let resample = |number| {
            let stream = stream(seed, number);
            score(&mut (0..texts as u64).map(|draw| drawn(stream, draw, texts)))
        };
        Some(Self::of_resampled((0..resamples as u64).map(resample).collect(), LEVEL, seed))
    }

    /// The interval that holds a share `level` of at least one resampled score.
    pub(crate) fn of_resampled(mut scores: Vec<f64>, level: f64, seed: u64) -> Self {
        scores.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        let (low, high) = (percentile(&scores, tail), percentile(&scores, 1.0 - tail));
        Self { low, high, level, resamples: scores.len(), seed }
    }
}

/// The scores of each group in every resample of the texts, the same draws for all groups. `score` is told how often each text
/// was drawn, so that a group may pass over texts in which it has nothing.
pub(crate) fn resampled<G>(
    texts: usize,
    groups: &[G],
    resamples: usize,
    seed: u64,
    score: impl Fn(&G, &[usize]) -> f64,
) -> Vec<Vec<f64>> {
    let mut scores = vec![Vec::with_capacity(resamples); groups.len()];
    let mut times = vec![0_usize; texts];
    for number in 0..resamples as u64 {
        let stream = stream(seed, number);
        times.fill(0);
        (0..texts as u64).for_each(|draw| times[drawn(stream, draw, texts)] += 1);
        for (group, scores) in groups.iter().zip(&mut scores) {
            scores.push(score(group, &times));
        }
    }
    scores
}

/// Recall after less recall before.
pub(crate) fn recall_change(texts: impl Iterator<Item = (Counts, Counts)>) -> f64 {
    let (before, after) = sums(texts);
    after.recall() - before.recall()
}

fn sums(texts: impl Iterator<Item = (Counts, Counts)>) -> (Counts, Counts) {
    let (mut before, mut after) = (Counts::default(), Counts::default());
    for (one, other) in texts {
        before += one;
        after += other;
    }
    (before, after)
}

/// Random numbers of their own for each number and seed.
pub(crate) fn stream(seed: u64, number: u64) -> u64 {
    mix(seed ^ mix(number))
}

/// The number below `bound` that stands at a place of a stream, all of them equally likely.
pub(crate) fn drawn(stream: u64, place: u64, bound: usize) -> usize {
    let random = u128::from(mix(stream.wrapping_add(place)));
    ((random * bound as u128) >> 64) as usize
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood, 2014) over a counter: a random number a place, without state.
fn mix(counter: u64) -> u64 {
    let mut bits = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Value below which `share` of the sorted values lie, linear between neighbours.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Span};

    use super::*;

    /// Texts of which some are found whole, some in half, some not at all.
    fn texts(count: usize) -> Vec<Counts> {
        (0..count).map(|text| Counts { correct: text % 3, gold: 2, predicted: 2 }).collect()
    }

    #[test]
    fn a_seed_fixes_the_interval_and_another_moves_it() {
        let texts = texts(50);
        assert_eq!(Interval::of(&texts, 200, 7), Interval::of(&texts, 200, 7));
        let ends =
            |seed| Interval::of(&texts, 200, seed).map(|interval| [interval.low, interval.high].map(f64::to_bits));
        assert_ne!(ends(7), ends(8));
    }

    #[test]
    fn the_interval_has_the_width_that_theory_gives() {
        // The score is the mean of 400 draws from {0, 1/2, 1}, of variance 1/6: 1.96 standard errors are 0.0400.
        let texts: Vec<Counts> = texts(399).into_iter().chain([Counts { correct: 1, gold: 2, predicted: 2 }]).collect();
        let interval = Interval::of(&texts, 4000, 1).unwrap();
        assert!((interval.low - 0.46).abs() < 0.004, "{interval:?}");
        assert!((interval.high - 0.54).abs() < 0.004, "{interval:?}");
    }

    #[test]
    fn one_text_or_none_has_no_spread() {
        assert_eq!(Interval::of(&[], 100, 1), None);
        let one = Interval::of(&[Counts { correct: 1, gold: 2, predicted: 2 }], 100, 1).unwrap();
        assert_eq!((one.low, one.high), (0.5, 0.5));
    }

    #[test]
    fn a_paired_interval_sees_a_change_that_the_texts_share() {
        // Every text loses one of its two entities, whatever it had: the change is the same in each draw.
        let found = |correct| Counts { correct, gold: 2, predicted: 2 };
        let texts: Vec<_> = (0..60).map(|text| (found(1 + text % 2), found(text % 2))).collect();
        let interval = Interval::of_recall_change(&texts, 200, 3).unwrap();
        assert!((interval.low + 0.5).abs() < 1e-12 && (interval.high + 0.5).abs() < 1e-12, "{interval:?}");
        assert_eq!(Interval::of_recall_change(&[], 200, 3), None);
    }

    #[test]
    fn a_label_that_stands_in_every_text_has_the_interval_of_the_whole() {
        let entity = |label| Entity::new(Span::new(0, 2).unwrap(), Label::new(label).unwrap());
        let (gold, wrong) = ([entity("A")], [entity("B")]);
        let texts: Vec<Judged<'_>> = (0..40)
            .map(|text| {
                let predicted: &[Entity] = if text % 3 == 0 { &wrong } else { &gold };
                Judged { gold: (&gold[..]).into(), predicted: predicted.into(), unjudged: 0 }
            })
            .collect();
        let by_label = Interval::by_label(&texts, 300, 5);
        assert_eq!(by_label.keys().map(Label::as_str).collect::<Vec<_>>(), ["A", "B"]);
        let counts = |text: &Judged<'_>| Scores::of([text]).by_label().get("A").copied().unwrap();
        let counts: Vec<Counts> = texts.iter().map(counts).collect();
        assert_eq!(by_label.get("A").copied(), Interval::of(&counts, 300, 5));
        assert!(Interval::by_label(&texts, 0, 5).is_empty() && Interval::by_label(&[], 10, 5).is_empty());
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        for (share, expected) in [(0.0, 0.0), (0.5, 1.5), (1.0, 3.0)] {
            assert!((percentile(&[0.0, 1.0, 2.0, 3.0], share) - expected).abs() < 1e-12);
        }
    }
}
