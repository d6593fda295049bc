//! What an older model finds, as annotations for the one that learns from it.

use std::collections::BTreeMap;

use model::{Bundle, Input, RecognitionError, Workers};
use schema::{Document, Entity, Label};

/// Adds to documents what an older model finds of the labels that nobody looked for there, where its score is at least
/// `confidence` and no annotation is in the way: self-training (Scudder, 1965; Yarowsky, 1995). `named` gives the new name of one of
/// the model's labels, `None` for one that is no longer wanted. What the model is less sure of stays open: the labels do not
/// become looked for. Returns how many entities were added.
///
/// # Errors
/// The model fails on a text.
pub fn add_teacher_labels(
    documents: &mut [Document],
    bundle: &Bundle,
    workers: &Workers,
    confidence: f32,
    named: impl Fn(&Label) -> Option<Label>,
) -> Result<usize, RecognitionError> {
    let inputs: Vec<Input<'_>> = documents.iter().map(Input::from).collect();
    let found = workers.recognize(&bundle.classifier, &bundle.codec, &inputs)?;
    let mut added = 0;
    for (document, found) in documents.iter_mut().zip(found) {
        let is_sure = |entity: &Entity| entity.score.is_some_and(|score| score >= confidence);
        let is_free = |entity: &Entity| document.entities().iter().all(|gold| !gold.span.overlaps(entity.span));
        let renamed = found.into_iter().filter(|entity| is_sure(entity) && is_free(entity)).filter_map(|entity| {
            let label = named(&entity.label).filter(|label| !document.is_complete_for(label))?;
            Some(Entity { label, ..entity })
        });
        let mut entities: Vec<Entity> = document.entities().to_vec();
        entities.extend(renamed);
        added += entities.len() - document.entities().len();
        // Neither what was there nor what was found overlaps itself, and what was found overlaps nothing that was there.
        if let Ok(more) = document.clone().with_entities(entities) {
            *document = more;
        }
    }
    Ok(added)
}

/// The lowest confidence from which on at least `precision` of what a model finds on annotated documents is right: the score from
/// which it can be believed, wherever its scores as such lie too high or too low. `None` where there is no such score.
///
/// # Errors
/// The model fails on a text.
pub fn calibrated_confidence(
    documents: &[Document],
    bundle: &Bundle,
    workers: &Workers,
    precision: f64,
) -> Result<Option<f32>, RecognitionError> {
    let inputs: Vec<Input<'_>> = documents.iter().map(Input::from).collect();
    let found = workers.recognize(&bundle.classifier, &bundle.codec, &inputs)?;
    // Of each score, how many entities with it were right, and how many there were.
    let mut by_score: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (document, found) in documents.iter().zip(&found) {
        let is_gold = |entity: &Entity| {
            document.entities().iter().any(|gold| gold.span == entity.span && gold.label == entity.label)
        };
        for entity in found {
            // The bits of numbers that are not negative are in the order of the numbers.
            let (right, all) = by_score.entry(entity.score.unwrap_or(0.0).max(0.0).to_bits()).or_default();
            *right += usize::from(is_gold(entity));
            *all += 1;
        }
    }
    let (mut right, mut all, mut lowest) = (0, 0, None);
    for (score, (right_here, all_here)) in by_score.into_iter().rev() {
        (right, all) = (right + right_here, all + all_here);
        if right as f64 >= precision * all as f64 {
            lowest = Some(f32::from_bits(score));
        }
    }
    Ok(lowest)
}
