//! How much better one model is than another on the same texts.

use serde::Serialize;

use crate::{Counts, Interval, Pair, Rule};

/// Resamples of the interval.
const RESAMPLES: usize = 1_000;

/// The strict micro F1 of two models on the same texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    /// F1 of the one that is the measure.
    pub before: f64,
    /// F1 of the other.
    pub after: f64,
    /// `after` less `before`.
    pub difference: f64,
    /// The 95 % bootstrap interval of the difference, paired by text; `None` without texts. It says how the difference
    /// would move on other texts, not with another seed of the training.
    pub interval: Option<Interval>,
}

impl Change {
    /// Compares what two models found in the same documents, given in the same order.
    ///
    /// # Panics
    /// A span was made for another text.
    pub fn of(before: &[Pair<'_>], after: &[Pair<'_>]) -> Self {
        let counts = |pair: &Pair<'_>| {
            let judged = pair.judge(None);
            Counts::of(Rule::Strict, &judged.gold, &judged.predicted)
        };
        let texts: Vec<(Counts, Counts)> =
            before.iter().zip(after).map(|(before, after)| (counts(before), counts(after))).collect();
        let [before, after] = [
            texts.iter().map(|(before, _)| *before).sum::<Counts>().f1(),
            texts.iter().map(|(_, after)| *after).sum::<Counts>().f1(),
        ];
        let interval = Interval::of_f1_change(&texts, RESAMPLES, 0);
        Self { before, after, difference: after - before, interval }
    }

    /// Whether the interval lies on one side of 0.
    pub fn is_beyond_chance(&self) -> bool {
        self.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0)
    }
}

#[cfg(test)]
mod tests {
    use schema::{Document, Entity, Label, Span};

    use super::*;

    #[test]
    fn a_model_that_finds_more_everywhere_is_better_beyond_chance_and_an_equal_one_is_not() {
        let entity = |start, end| Entity::new(Span::new(start, end).unwrap(), Label::new("PER").unwrap());
        let document = Document::new("Ada met Bo").with_entities(vec![entity(0, 3), entity(8, 10)]).unwrap();
        let documents = vec![document; 30];
        let (one, both) = ([entity(0, 3)], [entity(0, 3), entity(8, 10)]);
        let pairs = |predicted| documents.iter().map(|document| Pair { document, predicted }).collect::<Vec<_>>();
        let change = Change::of(&pairs(&one[..]), &pairs(&both[..]));
        assert!((change.before - 2.0 / 3.0).abs() < 1e-12 && (change.after - 1.0).abs() < 1e-12);
        assert!((change.difference - 1.0 / 3.0).abs() < 1e-12 && change.is_beyond_chance());
        let same = Change::of(&pairs(&one[..]), &pairs(&one[..]));
        assert!(same.difference == 0.0 && !same.is_beyond_chance());
        assert_eq!(Change::of(&[], &[]).interval, None);
    }
}
