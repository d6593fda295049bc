//! Entities from tags.

use std::ops::Range;

use schema::{Entity, Span};

use super::{DecodeError, Path, TagSet, best_path};
use crate::text::EncodedText;

/// The entities of a text from the logits of its decided slots, `logits [decided, tags]` in the order of
/// [`EncodedText::decided`]. Sorted by start, without overlaps.
///
/// # Errors
/// The logits do not fit, or one is not finite.
pub fn recognize(tag_set: &TagSet, encoded: &EncodedText, logits: &[f32]) -> Result<Vec<Entity>, DecodeError> {
    let slots: Vec<Span> = encoded.decided().collect();
    let path = best_path(tag_set, slots.len(), logits)?;
    Ok(entities(tag_set, &slots, &path))
}

/// The entities that a path writes over its slots. An entity reaches from the start of its first slot to the end
/// of its last; slots that nobody decided do not part it. Its score is the mean probability of its tags, as in
/// transformers' pipeline.
///
/// # Panics
/// Slots and path differ in length.
pub fn entities(tag_set: &TagSet, slots: &[Span], path: &Path) -> Vec<Entity> {
    assert_eq!(slots.len(), path.tags.len(), "one tag a slot");
    chunks(tag_set, &path.tags)
        .map(|(run, label)| {
            let probabilities = &path.probabilities[run.clone()];
            let sum: f64 = probabilities.iter().copied().map(f64::from).sum();
            let span = slots[run.start].join(slots[run.end - 1]);
            let score = (sum / probabilities.len() as f64) as f32;
            Entity { score: Some(score), ..Entity::new(span, tag_set.labels()[label as usize].clone()) }
        })
        .collect()
}

/// The runs of tags that are one entity each, and the positions of their labels.
pub(crate) fn chunks(tag_set: &TagSet, tags: &[u32]) -> impl Iterator<Item = (Range<usize>, u32)> {
    let mut start = 0;
    tags.chunk_by(|previous, next| tag_set.continues(*previous, *next)).filter_map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        tag_set.label_of(run[0]).map(|label| (range, label))
    })
}
