//! Which predicted entity stands for which gold entity.

use std::collections::HashMap;

use schema::{Entity, Label, Span};

/// When a predicted entity counts as a gold one.
///
/// SemEval-2013 task 9, which follows MUC, calls the three "strict", "exact" and "type". Its "partial" measure,
/// half a point for a wrong boundary, is not among them: [`Rule::Overlap`] gives the whole point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Same span, same label: conlleval's rule.
    Strict,
    /// Same span, whatever the label.
    Boundary,
    /// At least one shared byte, same label.
    Overlap,
}

/// Pairs of positions in `gold` and in `predicted` that match, each position in at most one pair, sorted.
///
/// One-to-one matching means that a prediction given twice is correct once and wrong once, and that one long
/// prediction over three gold entities is correct once. Among entities of one side that do not overlap each
/// other, which holds for every document and recognizer, no matching has more pairs.
/// Under [`Rule::Boundary`], pairs of equal label are taken before others.
pub fn matches(rule: Rule, gold: &[Entity], predicted: &[Entity]) -> Vec<(usize, usize)> {
    let mut matching = Matching::new(gold, predicted);
    match rule {
        Rule::Strict => matching.take_equal(|entity| (entity.span, Some(&entity.label))),
        Rule::Boundary => {
            matching.take_equal(|entity| (entity.span, Some(&entity.label)));
            matching.take_equal(|entity| (entity.span, None));
        }
        Rule::Overlap => matching.take_overlapping(|a, b| a.label == b.label),
    }
    matching.pairs.sort_unstable();
    matching.pairs
}

/// The two lists that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Gold,
    Predicted,
}

/// A one-to-one matching that grows by one rule after another.
#[derive(Debug)]
pub(crate) struct Matching<'a> {
    gold: &'a [Entity],
    predicted: &'a [Entity],
    gold_free: Vec<bool>,
    predicted_free: Vec<bool>,
    pub(crate) pairs: Vec<(usize, usize)>,
}

impl<'a> Matching<'a> {
    pub(crate) fn new(gold: &'a [Entity], predicted: &'a [Entity]) -> Self {
        let (gold_free, predicted_free) = (vec![true; gold.len()], vec![true; predicted.len()]);
        Self { gold, predicted, gold_free, predicted_free, pairs: Vec::new() }
    }

    /// Pairs what is free and has equal keys, in order.
    pub(crate) fn take_equal(&mut self, key: impl Fn(&'a Entity) -> (Span, Option<&'a Label>)) {
        let mut waiting: HashMap<_, Vec<usize>> = HashMap::new();
        for position in self.free(Side::Gold).rev() {
            waiting.entry(key(&self.gold[position])).or_default().push(position);
        }
        for position in 0..self.predicted.len() {
            if self.predicted_free[position]
                && let Some(gold) = waiting.get_mut(&key(&self.predicted[position])).and_then(Vec::pop)
            {
                self.join(gold, position);
            }
        }
    }

    /// Pairs what is free, overlaps and passes `admits` (an equivalence of labels).
    ///
    /// The free entity that ends first overlaps at most one free entity of the other side, so pairing these
    /// two never costs a pair.
    pub(crate) fn take_overlapping(&mut self, admits: impl Fn(&Entity, &Entity) -> bool) {
        let mut by_end: Vec<(Side, usize)> = self.free(Side::Gold).map(|position| (Side::Gold, position)).collect();
        by_end.extend(self.free(Side::Predicted).map(|position| (Side::Predicted, position)));
        by_end.sort_by_key(|&(side, position)| (self.span(side, position).end(), self.span(side, position).start()));
        // The smallest start from each place on: past it nothing can overlap any more.
        let mut earliest: Vec<usize> = by_end.iter().map(|&(side, at)| self.span(side, at).start()).collect();
        for place in (1..earliest.len()).rev() {
            earliest[place - 1] = earliest[place - 1].min(earliest[place]);
        }
        for (place, &(side, position)) in by_end.iter().enumerate() {
            let span = self.span(side, position);
            if !self.is_free(side, position) {
                continue;
            }
            let later = by_end[place + 1..].iter().zip(&earliest[place + 1..]);
            let partner = later.take_while(|(_, start)| **start < span.end()).map(|(other, _)| *other).find(
                |&(other_side, other)| {
                    other_side != side
                        && self.is_free(other_side, other)
                        && self.span(other_side, other).overlaps(span)
                        && admits(self.entity(side, position), self.entity(other_side, other))
                },
            );
            match (side, partner) {
                (Side::Gold, Some((_, predicted))) => self.join(position, predicted),
                (Side::Predicted, Some((_, gold))) => self.join(gold, position),
                (_, None) => {}
            }
        }
    }

    /// Positions of one side that have no partner yet, in order.
    pub(crate) fn free(&self, side: Side) -> impl DoubleEndedIterator<Item = usize> {
        let free = match side {
            Side::Gold => &self.gold_free,
            Side::Predicted => &self.predicted_free,
        };
        free.iter().enumerate().filter_map(|(position, free)| free.then_some(position))
    }

    fn is_free(&self, side: Side, position: usize) -> bool {
        match side {
            Side::Gold => self.gold_free[position],
            Side::Predicted => self.predicted_free[position],
        }
    }

    fn entity(&self, side: Side, position: usize) -> &'a Entity {
        match side {
            Side::Gold => &self.gold[position],
            Side::Predicted => &self.predicted[position],
        }
    }

    fn span(&self, side: Side, position: usize) -> Span {
        self.entity(side, position).span
    }

    fn join(&mut self, gold: usize, predicted: usize) {
        self.gold_free[gold] = false;
        self.predicted_free[predicted] = false;
        self.pairs.push((gold, predicted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
    }

    #[test]
    fn a_prediction_given_twice_is_correct_once() {
        let (gold, twice) = ([entity(0, 4, "A")], [entity(0, 4, "A"), entity(0, 4, "A")]);
        for rule in [Rule::Strict, Rule::Boundary, Rule::Overlap] {
            assert_eq!(matches(rule, &gold, &twice).len(), 1);
            assert_eq!(matches(rule, &twice, &gold).len(), 1);
        }
    }

    #[test]
    fn each_rule_admits_what_it_says() {
        let gold = [entity(0, 4, "A"), entity(5, 9, "A"), entity(10, 14, "A"), entity(15, 19, "A")];
        let predicted = [entity(0, 4, "A"), entity(5, 9, "B"), entity(11, 15, "A"), entity(18, 22, "B")];
        assert_eq!(matches(Rule::Strict, &gold, &predicted), [(0, 0)]);
        assert_eq!(matches(Rule::Boundary, &gold, &predicted), [(0, 0), (1, 1)]);
        assert_eq!(matches(Rule::Overlap, &gold, &predicted), [(0, 0), (2, 2)]);
    }

    #[test]
    fn touching_entities_do_not_overlap() {
        assert!(matches(Rule::Overlap, &[entity(0, 4, "A")], &[entity(4, 8, "A")]).is_empty());
    }

    #[test]
    fn overlap_finds_the_matching_with_most_pairs() {
        // The long prediction could take either gold entity; only the first choice leaves a partner for both.
        let gold = [entity(0, 2, "A"), entity(3, 12, "A")];
        assert_eq!(matches(Rule::Overlap, &gold, &[entity(1, 10, "A"), entity(11, 15, "A")]), [(0, 0), (1, 1)]);
        assert_eq!(matches(Rule::Overlap, &[entity(0, 20, "A")], &[entity(0, 2, "A"), entity(3, 5, "A")]).len(), 1);
    }
}
