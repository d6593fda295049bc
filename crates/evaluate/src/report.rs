//! Everything that an evaluation says.

use std::collections::BTreeMap;

use schema::{Entity, Label};
use serde::Serialize;

use crate::{Confusion, Counts, Errors, GoldMention, Interval, Judged, Pair, Rule, Scores};

/// What is judged, and how much of it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Judge entities of these labels only.
    pub labels: Option<Vec<Label>>,
    /// How often the texts are drawn anew for the interval; 0 for no interval.
    pub resamples: usize,
    /// Seed of these draws.
    pub seed: u64,
    /// How many errors of each kind are listed.
    pub worst: usize,
    /// How many characters an error shows on either side.
    pub context: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { labels: None, resamples: 1000, seed: 0, worst: 20, context: 60 }
    }
}

/// An evaluation. Serialized with spaCy's keys (see [`Scores`]) and those of the fields below.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Strict scores.
    #[serde(flatten)]
    pub scores: Scores,
    /// 95 % bootstrap interval of the micro F1.
    #[serde(rename = "ents_f_interval")]
    pub interval: Option<Interval>,
    /// 95 % bootstrap interval of each label's F1.
    #[serde(rename = "ents_per_type_interval", skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<Label, Interval>,
    /// Micro scores where any label counts on the right span ([`Rule::Boundary`]).
    pub exact_boundary: Counts,
    /// Micro scores where a shared byte counts under the right label ([`Rule::Overlap`]).
    pub overlap: Counts,
    /// The labels that were judged, where they were restricted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// Number of texts.
    pub texts: usize,
    /// Predictions that were left out because the gold says nothing about them ([`Judged::unjudged`]).
    pub unjudged: usize,
    /// Gold entities that the model's tokens cannot express. They count as gold all the same.
    pub unreachable: Vec<GoldMention>,
    /// Which labels were taken for which.
    pub confusion: Confusion,
    /// The errors worth reading.
    pub errors: Errors,
}

impl Report {
    /// Judges every pair. `unreachable` is what the model reports of gold entities that no token boundary can
    /// express: the position of the pair and the entity.
    ///
    /// # Panics
    /// A span was made for another text, or `unreachable` names a pair that does not exist.
    pub fn new(pairs: &[Pair<'_>], unreachable: &[(usize, Entity)], settings: &Settings) -> Self {
        let labels = settings.labels.as_deref();
        let texts: Vec<Judged<'_>> = pairs.iter().map(|pair| pair.judge(labels)).collect();
        let mut scores = Scores::of(&texts);
        labels.unwrap_or_default().iter().for_each(|label| scores.mention(label));
        let counts =
            |rule| -> Vec<Counts> { texts.iter().map(|text| Counts::of(rule, &text.gold, &text.predicted)).collect() };
        let documents: Vec<_> = pairs.iter().map(|pair| pair.document).collect();
        let asked = unreachable.iter().filter(|(_, entity)| labels.is_none_or(|labels| labels.contains(&entity.label)));
        Self {
            scores,
            interval: Interval::of(&counts(Rule::Strict), settings.resamples, settings.seed),
            intervals: Interval::by_label(&texts, settings.resamples, settings.seed),
            exact_boundary: counts(Rule::Boundary).into_iter().sum(),
            overlap: counts(Rule::Overlap).into_iter().sum(),
            labels: settings.labels.clone(),
            texts: texts.len(),
            unjudged: texts.iter().map(|text| text.unjudged).sum(),
            unreachable: asked.map(|(at, entity)| GoldMention::new(*at, documents[*at], entity)).collect(),
            confusion: Confusion::of(&texts),
            errors: Errors::of(&documents, &texts, settings.worst, settings.context),
        }
    }
}
