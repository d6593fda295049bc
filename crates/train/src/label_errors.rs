//! Likely errors in an annotation, from what models say that have not learned from it.
//!
//! Confident learning (Northcutt, Jiang and Chuang, 2021, *Confident Learning: Estimating Uncertainty in Dataset Labels*)
//! measures each class by the mean probability that the model gives it where it is given, its threshold, so that
//! classes of which the model is never sure are neither always nor never suspect. Here the classes are tags (Wang and Mueller,
//! 2022, *Detecting Label Errors in Token Classification Data*), and what is suspected are entities: the most probable tags, as far
//! as the scheme can write them, are read as entities, and where these differ from the given ones stands a suspect. For that
//! a probability is divided by the root of its threshold: by the whole of it, a tag that the model has hardly learned would be
//! suggested everywhere, and without it nowhere. Suspects are ranked by the probabilities themselves (`docs/benchmarks.md`
//! has what was tried).

use model::decode::{DecodeError, Path, TagSet, best_path, entities};
use schema::{Document, Entity};

use crate::Verdict;

/// Confidence from which on an error is likely: the model's tags are 19 times as probable as the given ones.
const LIKELY: f64 = 0.95;
/// Takes the place of a logarithm of 0: below whatever a model says.
const NEVER: f32 = -1e6;

/// A place where entities may be given wrongly.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelError {
    /// Position of the document among those that were looked at.
    pub document: usize,
    /// Positions of the document's entities that may be wrong; none where one may be missed.
    pub given: Vec<usize>,
    /// What the model would write instead, with the mean probability of the tags as score.
    pub suggested: Vec<Entity>,
    /// How much the model believes in its own tags rather than in the given ones: the share of the suggested in the sum of
    /// both, over the geometric means of their probabilities in the slots where the two differ.
    pub confidence: f64,
    /// Whether every suggested tag is at least as probable as its threshold, which is what confident learning counts as an
    /// error, and the confidence is 0.95 or more.
    pub is_likely: bool,
}

/// The likely errors, the most likely first. `judged` are documents with what a model says of them that has not
/// learned from them. Slots whose tags are not known are no errors; tags that are nowhere given are not suggested.
///
/// # Errors
/// A verdict does not fit the tag set, or a logit is not finite.
pub fn label_errors(tag_set: &TagSet, judged: &[(&Document, &Verdict)]) -> Result<Vec<LabelError>, DecodeError> {
    let thresholds = Thresholds::of(tag_set, judged);
    let mut errors = Vec::new();
    for (index, (document, verdict)) in judged.iter().enumerate() {
        of_document(tag_set, &thresholds, index, document, verdict, &mut errors)?;
    }
    errors.sort_by(|a: &LabelError, b| b.confidence.total_cmp(&a.confidence));
    Ok(errors)
}

/// For each tag the logarithm of the mean probability that it has where it is given; `None` where it is nowhere given.
struct Thresholds(Vec<Option<f32>>);

impl Thresholds {
    fn of(tag_set: &TagSet, judged: &[(&Document, &Verdict)]) -> Self {
        let width = tag_set.len();
        let mut known = Self(vec![None; width]);
        for tag in judged.iter().flat_map(|(_, verdict)| verdict.given.iter().flatten()) {
            known.0[*tag as usize] = Some(0.0);
        }
        let mut sums = vec![(0.0_f64, 0_usize); width];
        for (_, verdict) in judged {
            for (row, given) in verdict.logits.chunks_exact(width).zip(&verdict.given) {
                if let Some(tag) = given.map(|tag| tag as usize) {
                    sums[tag] = (sums[tag].0 + f64::from(known.log_probabilities(row)[tag]).exp(), sums[tag].1 + 1);
                }
            }
        }
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| ((sum / count as f64).ln() as f32).max(NEVER));
        Self(sums.into_iter().map(mean).collect())
    }

    /// Log-probabilities over the tags that are given somewhere; [`NEVER`] for the others.
    fn log_probabilities(&self, row: &[f32]) -> Vec<f32> {
        let known = || self.0.iter().zip(row).filter(|(threshold, _)| threshold.is_some()).map(|(_, logit)| *logit);
        let highest = known().fold(f32::MIN, f32::max);
        let sum: f64 = known().map(|logit| f64::from(logit - highest).exp()).sum();
        let log = highest + sum.ln() as f32;
        self.0.iter().zip(row).map(|(threshold, logit)| threshold.map_or(NEVER, |_| (logit - log).max(NEVER))).collect()
    }

    /// Whether a tag is at least as probable as its threshold.
    fn are_met_by(&self, tag: u32, log_probabilities: &[f32]) -> bool {
        let tag = tag as usize;
        self.0[tag].is_some_and(|threshold| log_probabilities[tag] >= threshold)
    }

    /// Log-probability over the root of the threshold.
    fn measured(&self, log_probabilities: &[f32]) -> Vec<f32> {
        let each = |(log, threshold): (&f32, &Option<f32>)| {
            threshold.map_or(NEVER, |threshold| (log - threshold / 2.0).max(NEVER))
        };
        log_probabilities.iter().zip(&self.0).map(each).collect()
    }
}

/// Slots in which given and suggested entities differ and that hang together.
struct Place {
    slots: std::ops::Range<usize>,
    given: Vec<Entity>,
    suggested: Vec<Entity>,
}

fn of_document(
    tag_set: &TagSet,
    thresholds: &Thresholds,
    index: usize,
    document: &Document,
    verdict: &Verdict,
    errors: &mut Vec<LabelError>,
) -> Result<(), DecodeError> {
    let width = tag_set.len();
    let Verdict { slots, given, logits, .. } = verdict;
    if logits.len() != slots.len() * width || given.len() != slots.len() {
        return Err(DecodeError::Shape { logits: logits.len(), slots: slots.len(), tags: width });
    }
    if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
        return Err(DecodeError::NotFinite { slot: at / width, tag: at % width, value: logits[at] });
    }
    let logs: Vec<f32> = logits.chunks_exact(width).flat_map(|row| thresholds.log_probabilities(row)).collect();
    let measured: Vec<f32> = logs.chunks_exact(width).flat_map(|row| thresholds.measured(row)).collect();
    let tags = best_path(tag_set, slots.len(), &measured)?.tags;
    let differs = |slot: &usize| given[*slot].is_some_and(|given| given != tags[*slot]);
    if !(0..slots.len()).any(|slot| differs(&slot)) {
        return Ok(());
    }
    let written: Vec<u32> = given.iter().map(|tag| tag.unwrap_or(tag_set.outside())).collect();
    let read = |tags: &[u32]| {
        let at = |(slot, tag): (usize, &u32)| logs[slot * width + *tag as usize].exp();
        let probabilities = tags.iter().enumerate().map(at).collect();
        entities(tag_set, slots, &Path { tags: tags.to_vec(), probabilities })
    };
    for Place { slots: range, given: written, suggested } in places(verdict, &read(&written), &read(&tags)) {
        let differing: Vec<usize> = range.filter(differs).collect();
        if differing.is_empty() {
            continue;
        }
        let odds = |slot: &usize| {
            let row = &logs[slot * width..][..width];
            let given = given[*slot].unwrap_or(tag_set.outside());
            f64::from(row[tags[*slot] as usize]) - f64::from(row[given as usize])
        };
        let odds = differing.iter().map(odds).sum::<f64>() / differing.len() as f64;
        let confidence = 1.0 / (1.0 + (-odds).exp());
        let is_confident =
            differing.iter().all(|slot| thresholds.are_met_by(tags[*slot], &logs[slot * width..][..width]));
        errors.push(LabelError {
            document: index,
            given: written.iter().filter_map(|written| nearest(document, written)).collect(),
            suggested,
            confidence,
            is_likely: is_confident && confidence >= LIKELY,
        });
    }
    Ok(())
}

/// The entities that only one side has, those together that share slots.
fn places(verdict: &Verdict, given: &[Entity], suggested: &[Entity]) -> Vec<Place> {
    let only = |these: &[Entity], others: &[Entity]| -> Vec<Entity> {
        these.iter().filter(|entity| !others.iter().any(|other| other.same_mention(entity))).cloned().collect()
    };
    let (given, suggested) = (only(given, suggested), only(suggested, given));
    let mut sides: Vec<(Entity, bool)> = given.into_iter().map(|entity| (entity, true)).collect();
    sides.extend(suggested.into_iter().map(|entity| (entity, false)));
    sides.sort_by_key(|(entity, _)| entity.span);
    let mut places: Vec<Place> = Vec::new();
    for (entity, is_given) in sides {
        let start = verdict.slots.partition_point(|slot| slot.end() <= entity.span.start());
        let end = verdict.slots.partition_point(|slot| slot.start() < entity.span.end());
        let place = match places.last_mut() {
            Some(last) if start < last.slots.end => last,
            _ => {
                places.push(Place { slots: start..end, given: Vec::new(), suggested: Vec::new() });
                let last = places.len() - 1;
                &mut places[last]
            }
        };
        place.slots.end = place.slots.end.max(end);
        if is_given { place.given.push(entity) } else { place.suggested.push(entity) }
    }
    places
}

/// The document's entity that has most of what its tags say.
fn nearest(document: &Document, written: &Entity) -> Option<usize> {
    let shared = |entity: &Entity| {
        let (start, end) = (entity.span.start().max(written.span.start()), entity.span.end().min(written.span.end()));
        end.saturating_sub(start)
    };
    let overlapping = document.entities().iter().map(shared).enumerate().filter(|(_, bytes)| *bytes > 0);
    overlapping.reduce(|most, other| if other.1 > most.1 { other } else { most }).map(|(entity, _)| entity)
}
