//! Distributions in bins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Feature, Value};
use crate::predictions::Row;

/// Bins of a feature with values enough: deciles, as the population stability index is usually taken.
const MOST_BINS: usize = 10;
/// Values that a bin is to hold at least, on average.
const FEWEST_IN_BIN: usize = 20;
/// A kind with a smaller share of the values goes to the others.
const RAREST_KIND: f64 = 0.01;

/// Where one bin ends and the next begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bins {
    /// A bin holds the numbers up to its edge, that edge included; a last one holds what is larger than all edges.
    Edges(Vec<f64>),
    /// A bin a kind; a last one for all others.
    Kinds(Vec<String>),
}

/// How many values fall into each bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Values by bin.
    pub counts: Vec<u64>,
    /// How many independent values would tell as much, at most as many as there are. Values of one text are alike, so that ten
    /// entities in one text say less than ten in ten texts. The number is that of the values divided by the mean design effect of Rao
    /// and Scott (1981), with each text a cluster.
    pub effective: f64,
}

impl Bins {
    /// Bins for the values of these rows: quantiles for numbers. `None` where there is no value.
    pub(super) fn of(feature: &Feature, rows: &[Row]) -> Option<Self> {
        let mut numbers = Vec::new();
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for value in rows.iter().flat_map(|row| feature.values(row)) {
            match value {
                Value::Number(number) => numbers.push(number),
                Value::Kind(kind) => *kinds.entry(kind).or_default() += 1,
            }
        }
        if kinds.is_empty() {
            numbers.sort_unstable_by(f64::total_cmp);
            return edges(&numbers).map(Self::Edges);
        }
        let all: usize = kinds.values().sum();
        kinds.retain(|_, count| *count as f64 >= RAREST_KIND * all as f64);
        let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Some(Self::Kinds(kinds.into_iter().map(|(kind, _)| kind.to_owned()).collect()))
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty)] // there is always one
    pub fn len(&self) -> usize {
        match self {
            Self::Edges(edges) => edges.len() + 1,
            Self::Kinds(kinds) => kinds.len() + 1,
        }
    }

    /// The bin of a value.
    pub fn place(&self, value: Value<'_>) -> usize {
        match (self, value) {
            (Self::Edges(edges), Value::Number(number)) => edges.partition_point(|edge| *edge < number),
            (Self::Kinds(kinds), Value::Kind(kind)) => {
                kinds.iter().position(|known| known == kind).unwrap_or(kinds.len())
            }
            // A profile that was made by hand; what cannot be placed is like nothing that is known.
            _ => self.len() - 1,
        }
    }
}

/// The quantiles of sorted numbers, each once. Values that are always the same get bins on both sides.
fn edges(sorted: &[f64]) -> Option<Vec<f64>> {
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    if first.total_cmp(&last).is_eq() {
        return Some(vec![first.next_down(), first]);
    }
    let bins = (sorted.len() / FEWEST_IN_BIN).clamp(2, MOST_BINS);
    let quantile = |bin: usize| sorted[(bin * sorted.len()).div_ceil(bins) - 1];
    // Where most values are one and the same, that one has a bin of its own; the smallest does in any case.
    let mut edges: Vec<f64> = (1..bins).map(quantile).filter(|edge| *edge < last).collect();
    let smallest = sorted.partition_point(|number| *number <= first);
    if smallest * bins >= sorted.len() || edges.is_empty() {
        edges.insert(0, first);
    }
    edges.dedup();
    Some(edges)
}

impl Histogram {
    /// The values of a feature in these rows.
    pub fn of(bins: &Bins, feature: &Feature, rows: &[Row]) -> Self {
        let of_text =
            |row: &Row| -> Vec<usize> { feature.values(row).into_iter().map(|value| bins.place(value)).collect() };
        let texts: Vec<Vec<usize>> = rows.iter().map(of_text).filter(|places| !places.is_empty()).collect();
        let mut counts = vec![0; bins.len()];
        texts.iter().flatten().for_each(|place| counts[*place] += 1);
        let effective = effective(&counts, &texts);
        Self { counts, effective }
    }

    /// All values.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of each bin; 0 where there is no value at all.
    pub fn shares(&self) -> Vec<f64> {
        let total = self.total().max(1) as f64;
        self.counts.iter().map(|count| *count as f64 / total).collect()
    }

    /// The share of each bin, with half an effective value more in each, so that none is 0 (Jeffreys' prior).
    pub fn smoothed(&self) -> Vec<f64> {
        let (total, bins) = (self.total().max(1) as f64, self.counts.len() as f64);
        let effective = self.effective.max(0.0);
        let share = |count: &u64| (*count as f64 / total * effective + 0.5) / (effective + 0.5 * bins);
        self.counts.iter().map(share).collect()
    }
}

/// The effective number of values, from the variance between the texts of each bin's share (a ratio, linearized) over that of a
/// multinomial distribution.
fn effective(counts: &[u64], texts: &[Vec<usize>]) -> f64 {
    let values = counts.iter().sum::<u64>() as f64;
    let filled = counts.iter().filter(|count| **count > 0).count();
    if filled < 2 || texts.len() < 2 {
        // Nothing varies, so nothing tells how alike the values of a text are.
        return texts.len() as f64;
    }
    let shares: Vec<f64> = counts.iter().map(|count| *count as f64 / values).collect();
    // Sums over the texts of (in this bin - share * all)^2, of which the sum over the bins is weighted by 1 / share.
    let mut spread = 0.0;
    let mut in_bin = vec![0.0; counts.len()];
    for text in texts {
        for place in text {
            in_bin[*place] += 1.0;
        }
        let all = text.len() as f64;
        for (found, share) in in_bin.iter_mut().zip(&shares).filter(|(_, share)| **share > 0.0) {
            spread += (*found - share * all).powi(2) / share;
            *found = 0.0;
        }
    }
    let design_effect = spread / values / (filled - 1) as f64;
    values / design_effect.max(1.0)
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Label, Span};

    use super::*;

    fn with_length(length: usize) -> Row {
        Row::of(&"x".repeat(length), &[], None)
    }

    /// A text with entities of these scores.
    fn with_scores(scores: &[f32]) -> Row {
        let entity = |(at, score): (usize, &f32)| Entity {
            score: Some(*score),
            ..Entity::new(Span::new(at, at + 1).unwrap(), Label::new("X").unwrap())
        };
        Row::of(&"x".repeat(scores.len()), &scores.iter().enumerate().map(entity).collect::<Vec<_>>(), None)
    }

    #[test]
    fn deciles_hold_as_many_each_and_every_number_has_a_bin() {
        let rows: Vec<Row> = (1..=1_000).map(with_length).collect();
        let bins = Bins::of(&Feature::Length, &rows).unwrap();
        let histogram = Histogram::of(&bins, &Feature::Length, &rows);
        assert_eq!(histogram.counts, [100; 10]);
        assert!((histogram.effective - 1_000.0).abs() < 1e-6);
        for (number, place) in [(-1.0, 0), (100.0, 0), (100.5, 1), (1e300, 9), (f64::INFINITY, 9)] {
            assert_eq!(bins.place(Value::Number(number)), place, "{number}");
        }
        assert!((histogram.smoothed().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_value_that_most_texts_have_is_told_from_the_rest() {
        let feature = Feature::Length;
        for (zeros, others) in [(97, 3), (50, 50), (3, 97), (100, 0), (1, 99)] {
            let lengths = (0..zeros).map(|_| 0).chain((0..others).map(|_| 1));
            let rows: Vec<Row> = lengths.map(with_length).collect();
            let bins = Bins::of(&feature, &rows).unwrap();
            let [zero, one] = [0.0, 1.0].map(|number| bins.place(Value::Number(number)));
            assert_ne!(zero, one, "{zeros} zeros in {bins:?}");
        }
    }

    #[test]
    fn entities_of_one_text_count_for_less_than_those_of_many() {
        let feature = Feature::Confidence;
        let apart: Vec<Row> = (0..400).map(|text| with_scores(&[if text % 2 == 0 { 0.2 } else { 0.9 }])).collect();
        let together: Vec<Row> =
            (0..40).map(|text| with_scores(&[if text % 2 == 0 { 0.2 } else { 0.9 }; 10])).collect();
        let bins = Bins::of(&feature, &apart).unwrap();
        let [apart, together] = [apart, together].map(|rows| Histogram::of(&bins, &feature, &rows));
        assert_eq!(apart.counts, together.counts);
        assert!((apart.effective - 400.0).abs() < 2.0, "{}", apart.effective);
        assert!((together.effective - 40.0).abs() < 2.0, "{}", together.effective);
    }

    #[test]
    fn rare_kinds_and_new_ones_share_a_bin() {
        let mut rows: Vec<Row> = (0..300).map(|_| with_length(1)).collect();
        for (row, language) in rows.iter_mut().zip(["deu", "deu", "deu", "fra"]) {
            row.language = Some(language.to_owned());
        }
        let bins = Bins::of(&Feature::Language, &rows).unwrap();
        assert_eq!(bins, Bins::Kinds(vec!["unclear".to_owned(), "deu".to_owned()]));
        assert_eq!(bins.place(Value::Kind("fra")), 2);
        assert_eq!(Histogram::of(&bins, &Feature::Language, &rows).counts, [296, 3, 1]);
    }

    #[test]
    fn without_values_there_are_no_bins() {
        assert_eq!(Bins::of(&Feature::Confidence, &[with_length(3)]), None);
        assert_eq!(Bins::of(&Feature::Length, &[]), None);
    }
}
