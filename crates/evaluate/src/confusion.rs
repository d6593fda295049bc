//! Which labels are taken for which.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use schema::{Entity, Label};
use serde::Serialize;

use crate::{Judged, Rule, matches};

/// The confusion of labels: gold and predicted entities of exactly the same span face each other.
///
/// `counts [labels + 1, labels + 1]`: a row for each gold label, a column for each predicted label. The last
/// column counts missed gold (nothing was predicted for exactly that span), the last row spurious predictions
/// (no gold has exactly that span). So a row sums to the label's gold entities, a column to its predictions,
/// the diagonal to the strict matches, and an entity with a wrong boundary is both missed and spurious.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The labels in gold and predictions, sorted.
    pub labels: Vec<Label>,
    /// The matrix.
    pub counts: Vec<Vec<usize>>,
    /// Its cells that are errors and not zero, the most frequent first.
    pub errors: Vec<Confused>,
}

/// How often one label was taken for another, was missed (`predicted: None`), or was found where nothing is
/// (`gold: None`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confused {
    /// The label in the gold.
    pub gold: Option<Label>,
    /// The label that was predicted.
    pub predicted: Option<Label>,
    /// How often.
    pub count: usize,
}

impl Confusion {
    /// The confusion in these texts.
    pub fn of<'j, 'a: 'j>(texts: impl IntoIterator<Item = &'j Judged<'a>>) -> Self {
        let mut cells: BTreeMap<(Option<Label>, Option<Label>), usize> = BTreeMap::new();
        for text in texts {
            for cell in facing(&text.gold, &text.predicted) {
                *cells.entry(cell).or_default() += 1;
            }
        }
        let labels: BTreeSet<&Label> =
            cells.keys().flat_map(|(gold, predicted)| gold.iter().chain(predicted)).collect();
        let labels: Vec<Label> = labels.into_iter().cloned().collect();
        let place = |label: &Option<Label>| match label {
            Some(label) => labels.partition_point(|known| known < label),
            None => labels.len(),
        };
        let mut counts = vec![vec![0; labels.len() + 1]; labels.len() + 1];
        for ((gold, predicted), count) in &cells {
            counts[place(gold)][place(predicted)] = *count;
        }
        let mut errors: Vec<Confused> = cells
            .into_iter()
            .filter(|((gold, predicted), _)| gold != predicted)
            .map(|((gold, predicted), count)| Confused { gold, predicted, count })
            .collect();
        errors.sort_by_key(|cell| Reverse(cell.count));
        Self { labels, counts, errors }
    }
}

/// The cell of every gold entity and of every prediction that faces none.
fn facing(gold: &[Entity], predicted: &[Entity]) -> Vec<(Option<Label>, Option<Label>)> {
    let label = |entity: &Entity| Some(entity.label.clone());
    let mut cells = Vec::with_capacity(gold.len());
    let (mut missed, mut spurious) = (vec![true; gold.len()], vec![true; predicted.len()]);
    for (g, p) in matches(Rule::Boundary, gold, predicted) {
        (missed[g], spurious[p]) = (false, false);
        cells.push((label(&gold[g]), label(&predicted[p])));
    }
    cells.extend(gold.iter().zip(missed).filter(|(_, missed)| *missed).map(|(entity, _)| (label(entity), None)));
    let unfaced = predicted.iter().zip(spurious).filter(|(_, spurious)| *spurious);
    cells.extend(unfaced.map(|(entity, _)| (None, label(entity))));
    cells
}

#[cfg(test)]
mod tests {
    use schema::Span;

    use super::*;

    fn entity(start: usize, end: usize, label: &str) -> Entity {
        Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
    }

    #[test]
    fn every_entity_stands_in_one_cell_and_errors_come_by_frequency() {
        let gold = vec![entity(0, 2, "A"), entity(3, 5, "A"), entity(6, 8, "A"), entity(9, 12, "B")];
        let predicted = vec![entity(0, 2, "A"), entity(3, 5, "B"), entity(6, 8, "B"), entity(9, 11, "B")];
        let text = Judged { gold: gold.into(), predicted: predicted.into(), unjudged: 0 };
        let confusion = Confusion::of([&text]);
        assert_eq!(confusion.labels, [Label::new("A").unwrap(), Label::new("B").unwrap()]);
        assert_eq!(confusion.counts, [[1, 2, 0], [0, 0, 1], [0, 1, 0]]);
        assert_eq!(confusion.errors.iter().map(|cell| cell.count).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!(serde_json::to_value(&confusion.errors[0]).unwrap()["predicted"], "B");
    }
}
