//! Counts of correct, gold and predicted entities, and the ratios made of them.

use std::{
    collections::BTreeMap,
    iter::Sum,
    ops::{Add, AddAssign, Mul},
};

use schema::{Entity, Label};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Judged, Rule, matches};

/// What precision, recall and F1 are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pairs of a gold and a predicted entity that match.
    pub correct: usize,
    /// Gold entities, also called support.
    pub gold: usize,
    /// Predicted entities.
    pub predicted: usize,
}

impl Counts {
    /// The counts of one text under a rule.
    pub fn of(rule: Rule, gold: &[Entity], predicted: &[Entity]) -> Self {
        Self { correct: matches(rule, gold, predicted).len(), gold: gold.len(), predicted: predicted.len() }
    }

    /// Share of the predictions that are correct; 0 without predictions.
    pub fn precision(self) -> f64 {
        ratio(self.correct, self.predicted)
    }

    /// Share of the gold entities that were found; 0 without gold.
    pub fn recall(self) -> f64 {
        ratio(self.correct, self.gold)
    }

    /// Harmonic mean of precision and recall; 0 without gold and predictions.
    pub fn f1(self) -> f64 {
        ratio(2 * self.correct, self.gold + self.predicted)
    }

    /// Precision, recall and F1 together.
    pub fn average(self) -> Average {
        Average { p: self.precision(), r: self.recall(), f: self.f1() }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Add for Counts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

/// The counts of a text that stands several times.
impl Mul<usize> for Counts {
    type Output = Self;

    fn mul(self, times: usize) -> Self {
        Self { correct: self.correct * times, gold: self.gold * times, predicted: self.predicted * times }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.correct += other.correct;
        self.gold += other.gold;
        self.predicted += other.predicted;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

/// Serialized as `{"p", "r", "f", "support", "predicted", "correct"}`.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("p", &self.precision())?;
        map.serialize_entry("r", &self.recall())?;
        map.serialize_entry("f", &self.f1())?;
        map.serialize_entry("support", &self.gold)?;
        map.serialize_entry("predicted", &self.predicted)?;
        map.serialize_entry("correct", &self.correct)?;
        map.end()
    }
}

/// Precision, recall and F1, where no single set of counts stands behind them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Average {
    /// Precision.
    pub p: f64,
    /// Recall.
    pub r: f64,
    /// F1.
    pub f: f64,
}

/// Scores by strict matching of span and label, over all labels and by label.
///
/// Serialized with spaCy's keys: `ents_p`, `ents_r`, `ents_f` (micro averages), `ents_per_type` (by label `p`,
/// `r`, `f`, `support` and the counts), and `ents_macro`, `ents_weighted` beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores {
    by_label: BTreeMap<Label, Counts>,
}

impl Scores {
    /// The scores of these texts.
    pub fn of<'j, 'a: 'j>(texts: impl IntoIterator<Item = &'j Judged<'a>>) -> Self {
        let mut scores = Self::default();
        for text in texts {
            scores.add(&text.gold, &text.predicted);
        }
        scores
    }

    /// Takes one more text into account.
    pub fn add(&mut self, gold: &[Entity], predicted: &[Entity]) {
        for entity in gold {
            self.label_mut(&entity.label).gold += 1;
        }
        for entity in predicted {
            self.label_mut(&entity.label).predicted += 1;
        }
        for (position, _) in matches(Rule::Strict, gold, predicted) {
            self.label_mut(&gold[position].label).correct += 1;
        }
    }

    /// Makes a label appear with zeros even if no text has it. Averages over labels leave it out.
    pub fn mention(&mut self, label: &Label) {
        self.label_mut(label);
    }

    pub(crate) fn label_mut(&mut self, label: &Label) -> &mut Counts {
        if !self.by_label.contains_key(label) {
            self.by_label.insert(label.clone(), Counts::default());
        }
        self.by_label.get_mut(label).expect("the label was inserted above")
    }

    /// Counts over all labels; their ratios are the micro averages.
    pub fn micro(&self) -> Counts {
        self.by_label.values().copied().sum()
    }

    /// Counts by label, sorted by label.
    pub fn by_label(&self) -> &BTreeMap<Label, Counts> {
        &self.by_label
    }

    /// Mean over the labels that occur in gold or predictions, as seqeval takes it; zeros where none does.
    pub fn macro_average(&self) -> Average {
        self.mean(|counts| if counts.gold + counts.predicted == 0 { 0.0 } else { 1.0 })
    }

    /// Mean over the labels, each weighted by its number of gold entities; zeros where there are none.
    pub fn weighted_average(&self) -> Average {
        self.mean(|counts| counts.gold as f64)
    }

    fn mean(&self, weight: impl Fn(Counts) -> f64) -> Average {
        let total: f64 = self.by_label.values().map(|&counts| weight(counts)).sum();
        let mean = |score: fn(Counts) -> f64| -> f64 {
            let sum: f64 = self.by_label.values().map(|&counts| weight(counts) * score(counts)).sum();
            if total == 0.0 { 0.0 } else { sum / total }
        };
        Average { p: mean(Counts::precision), r: mean(Counts::recall), f: mean(Counts::f1) }
    }

    /// The same scores under the keys that seqeval has in the `evaluate` library: by label `precision`,
    /// `recall`, `f1`, `number`; over all `overall_precision`, `overall_recall`, `overall_f1` (micro), and
    /// `overall_accuracy` where a token accuracy is known.
    pub fn with_seqeval_keys(&self, accuracy: Option<f64>) -> SeqevalKeys<'_> {
        SeqevalKeys { scores: self, accuracy }
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let micro = self.micro();
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("ents_p", &micro.precision())?;
        map.serialize_entry("ents_r", &micro.recall())?;
        map.serialize_entry("ents_f", &micro.f1())?;
        map.serialize_entry("ents_per_type", &self.by_label)?;
        map.serialize_entry("ents_macro", &self.macro_average())?;
        map.serialize_entry("ents_weighted", &self.weighted_average())?;
        map.end()
    }
}

/// [`Scores`] to be serialized with seqeval's keys; see [`Scores::with_seqeval_keys`].
#[derive(Debug, Clone, Copy)]
pub struct SeqevalKeys<'s> {
    scores: &'s Scores,
    accuracy: Option<f64>,
}

impl Serialize for SeqevalKeys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct ByLabel {
            precision: f64,
            recall: f64,
            f1: f64,
            number: usize,
        }
        let mut map = serializer.serialize_map(None)?;
        for (label, counts) in &self.scores.by_label {
            let Average { p: precision, r: recall, f: f1 } = counts.average();
            map.serialize_entry(label, &ByLabel { precision, recall, f1, number: counts.gold })?;
        }
        let micro = self.scores.micro();
        map.serialize_entry("overall_precision", &micro.precision())?;
        map.serialize_entry("overall_recall", &micro.recall())?;
        map.serialize_entry("overall_f1", &micro.f1())?;
        if let Some(accuracy) = self.accuracy {
            map.serialize_entry("overall_accuracy", &accuracy)?;
        }
        map.end()
    }
}
