//! How far F1 moved between two recognizers that judged the same texts.

use serde::Serialize;

use crate::{Counts, Interval, Pair, Rule, interval};

/// The counts of one text under two recognizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twice {
    /// Position of the text.
    pub text: usize,
    /// Its counts under the recognizer that was there before.
    pub before: Counts,
    /// Its counts under the one that is to follow.
    pub after: Counts,
}

/// How changes are measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// Share of the resampled changes that lies in an interval; between 0 and 1.
    pub level: f64,
    /// How often the texts are drawn anew, and how often the recognizers change places; at least 1.
    pub resamples: usize,
    /// Seed of both; the same seed gives the same figures on every machine.
    pub seed: u64,
}

/// The change in F1 between two recognizers on the same texts, and what of it may be chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    /// Counts under the recognizer that was there before.
    pub before: Counts,
    /// Counts under the one that is to follow.
    pub after: Counts,
    /// F1 after less F1 before.
    pub change: f64,
    /// Paired percentile bootstrap interval of the change (Efron, 1979; Berg-Kirkpatrick, Burkett and Klein, 2012):
    /// whole texts are drawn with replacement, and each brings its counts under both recognizers.
    pub interval: Interval,
    /// How probable a change this low or lower is where the recognizers are equally good: the one-sided approximate
    /// randomization test (Noreen, 1989; Yeh, 2000). In each round the two change places in half of the texts, drawn
    /// at random. Exact at any number of texts, which a percentile interval is not where few texts differ.
    pub p_drop: f64,
}

impl Change {
    /// The change of each group, such as a label, on the same `texts` texts. A group lists the texts that have something
    /// to count, each once; all groups see the same draws. Empty where there is no text.
    ///
    /// # Panics
    /// A group names a text that does not exist, or there are to be no resamples.
    pub fn of(texts: usize, groups: &[Vec<Twice>], draws: &Draws) -> Vec<Self> {
        assert!(draws.resamples > 0, "a change without resamples has no interval");
        if texts == 0 {
            return Vec::new();
        }
        let score = |group: &Vec<Twice>, times: &[usize]| {
            let (before, after) = sums(group.iter().map(|text| (text, times[text.text])));
            after.f1() - before.f1()
        };
        let resampled = interval::resampled(texts, groups, draws.resamples, draws.seed, score);
        let groups = groups.iter().zip(resampled);
        let change = |(group, resampled): (&Vec<Twice>, Vec<f64>)| {
            let (before, after) = sums(group.iter().map(|text| (text, 1)));
            Self {
                before,
                after,
                change: after.f1() - before.f1(),
                interval: Interval::of_resampled(resampled, draws.level, draws.seed),
                p_drop: p_drop(group, draws),
            }
        };
        groups.map(change).collect()
    }

    /// The change in the strict micro F1 between what two recognizers found in the same documents, given in the same order, with
    /// its 95 % interval; `None` without documents.
    ///
    /// # Panics
    /// A span was made for another text.
    pub fn of_pairs(before: &[Pair<'_>], after: &[Pair<'_>]) -> Option<Self> {
        let counts = |pair: &Pair<'_>| {
            let judged = pair.judge(None);
            Counts::of(Rule::Strict, &judged.gold, &judged.predicted)
        };
        let pairs = before.iter().zip(after).enumerate();
        let texts: Vec<Twice> =
            pairs.map(|(text, (one, other))| Twice { text, before: counts(one), after: counts(other) }).collect();
        Self::of(texts.len(), &[texts], &Draws { level: 0.95, resamples: 1_000, seed: 0 }).pop()
    }

    /// Whether the interval lies on one side of 0.
    pub fn is_beyond_chance(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

fn sums<'t>(texts: impl Iterator<Item = (&'t Twice, usize)>) -> (Counts, Counts) {
    let (mut before, mut after) = (Counts::default(), Counts::default());
    for (text, times) in texts {
        before += text.before * times;
        after += text.after * times;
    }
    (before, after)
}

fn p_drop(group: &[Twice], draws: &Draws) -> f64 {
    // Places that are equal change nothing.
    let (differing, equal): (Vec<&Twice>, Vec<&Twice>) = group.iter().partition(|text| text.before != text.after);
    let (rest, _) = sums(equal.into_iter().map(|text| (text, 1)));
    let change = |(before, after): (Counts, Counts)| (after + rest).f1() - (before + rest).f1();
    let observed = change(sums(differing.iter().map(|text| (*text, 1))));
    // Equal changes that were added up in another order are equal.
    let limit = observed + 1e-12;
    // Streams of their own, so that places do not depend on which texts a resample drew.
    let is_as_low = |number: &u64| {
        let stream = interval::stream(!draws.seed, *number);
        let (mut before, mut after) = (Counts::default(), Counts::default());
        for text in &differing {
            let swaps = interval::drawn(stream, text.text as u64, 2) == 1;
            let (one, other) = if swaps { (text.after, text.before) } else { (text.before, text.after) };
            before += one;
            after += other;
        }
        change((before, after)) <= limit
    };
    let as_low = (0..draws.resamples as u64).filter(is_as_low).count();
    (as_low + 1) as f64 / (draws.resamples + 1) as f64
}

#[cfg(test)]
mod tests {
    use schema::{Document, Entity, Label, Span};

    use super::*;

    const DRAWS: Draws = Draws { level: 0.95, resamples: 2000, seed: 1 };

    fn found(correct: usize) -> Counts {
        Counts { correct, gold: 1, predicted: 1 }
    }

    /// One text an entity: `lost` that only the first finds, `won` that only the second does, `kept` that both do.
    fn texts(lost: usize, won: usize, kept: usize) -> Vec<Twice> {
        let kinds = [(1, 0, lost), (0, 1, won), (1, 1, kept)];
        let kinds = kinds.into_iter().flat_map(|(before, after, count)| vec![(found(before), found(after)); count]);
        kinds.enumerate().map(|(text, (before, after))| Twice { text, before, after }).collect()
    }

    fn change(lost: usize, won: usize, kept: usize) -> Change {
        Change::of(lost + won + kept, &[texts(lost, won, kept)], &DRAWS)[0]
    }

    #[test]
    fn the_same_answers_have_no_change_and_no_doubt() {
        let change = change(0, 0, 50);
        assert_eq!((change.change, change.interval.low, change.interval.high, change.p_drop), (0.0, 0.0, 0.0, 1.0));
        assert_eq!(Change::of(0, &[Vec::new()], &DRAWS), []);
    }

    #[test]
    fn the_test_is_the_sign_test_where_each_text_has_one_entity() {
        // With as many predictions as gold in every text, F1 moves with the number of texts that are won or lost, and
        // changing places is tossing a coin for each: P(at least 8 of 10 tosses fall the same way) = 56 / 1024.
        for (lost, won, expected) in [(8, 2, 56.0 / 1024.0), (5, 0, 1.0 / 32.0), (2, 8, 1013.0 / 1024.0)] {
            let change = change(lost, won, 90);
            assert!((change.p_drop - expected).abs() < 0.02, "{lost} lost, {won} won: {change:?}");
            assert!((change.change - (won as f64 - lost as f64) / (lost + won + 90) as f64).abs() < 1e-12);
        }
    }

    #[test]
    fn the_interval_has_the_width_that_theory_gives() {
        // The change is the mean of 400 draws of -1 (40 of them), 1 (40) and 0: 1.96 standard errors are 0.0438.
        let change = change(40, 40, 320);
        assert!((change.interval.low + 0.0438).abs() < 0.005, "{change:?}");
        assert!((change.interval.high - 0.0438).abs() < 0.005, "{change:?}");
    }

    #[test]
    fn a_model_that_finds_more_everywhere_is_better_beyond_chance_and_an_equal_one_is_not() {
        let entity = |start, end| Entity::new(Span::new(start, end).unwrap(), Label::new("PER").unwrap());
        let document = Document::new("Ada met Bo").with_entities(vec![entity(0, 3), entity(8, 10)]).unwrap();
        let documents = vec![document; 30];
        let (one, both) = ([entity(0, 3)], [entity(0, 3), entity(8, 10)]);
        let pairs = |predicted| documents.iter().map(|document| Pair { document, predicted }).collect::<Vec<_>>();
        let change = Change::of_pairs(&pairs(&one[..]), &pairs(&both[..])).unwrap();
        assert!((change.before.f1() - 2.0 / 3.0).abs() < 1e-12 && (change.after.f1() - 1.0).abs() < 1e-12);
        assert!((change.change - 1.0 / 3.0).abs() < 1e-12 && change.is_beyond_chance());
        let same = Change::of_pairs(&pairs(&one[..]), &pairs(&one[..])).unwrap();
        assert!(same.change == 0.0 && !same.is_beyond_chance());
        assert_eq!(Change::of_pairs(&[], &[]), None);
    }

    #[test]
    fn a_groups_figures_do_not_depend_on_the_groups_beside_it() {
        let (one, other) = (texts(5, 2, 30), texts(0, 4, 10));
        let alone = Change::of(40, std::slice::from_ref(&one), &DRAWS);
        assert_eq!(Change::of(40, &[other, one], &DRAWS)[1], alone[0]);
    }
}
