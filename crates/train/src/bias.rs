//! Old labels that became rare in an update, because nothing it learned was ever one of them.

use std::collections::BTreeSet;

use model::{Bundle, Input, RecognitionError, Workers};
use schema::{Document, Label};

/// By how many logits a bias is raised at most, and by what steps.
const MOST: f32 = 4.0;
const STEP: f32 = 0.25;

/// Raises the bias, in logits, of labels that nobody looked for in these documents, until the model finds as many entities of them there
/// as an older model does; entities that an annotation is in the way of do not count. Bias correction (Wu et al., 2019, "Large Scale
/// Incremental Learning") without old texts: what is known of the labels' share is what the older model finds (compare Saerens et
/// al., 2002, "Adjusting the Outputs of a Classifier to New a Priori Probabilities"). `named` gives the new name of one of the older
/// model's labels, `None` for one that is no longer wanted. Returns by how much, 0 where they are not too rare.
///
/// # Errors
/// A model fails on a text.
pub fn correct_bias(
    bundle: &mut Bundle,
    old: &Bundle,
    workers: &Workers,
    documents: &[Document],
    named: impl Fn(&Label) -> Option<Label>,
) -> Result<f32, RecognitionError> {
    let labels: BTreeSet<Label> = old.manifest.schema.labels().filter_map(&named).collect();
    let is_meant =
        |label: &Label| labels.contains(label) && !documents.iter().all(|document| document.is_complete_for(label));
    let known = |label: &Label| labels.get(label).cloned();
    let wanted = found(old, workers, documents, &named)?;
    if wanted == 0 {
        return Ok(0.0);
    }
    let (mut low, mut high) = (0, (MOST / STEP) as u32);
    let mut raised = 0;
    // The smallest raise with which there are as many: the more it is, the more are found.
    while low < high {
        let middle = u32::midpoint(low, high);
        bundle.raise(is_meant, (middle as f32 - raised as f32) * STEP);
        raised = middle;
        if found(bundle, workers, documents, known)? < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bundle.raise(is_meant, (low as f32 - raised as f32) * STEP);
    Ok(low as f32 * STEP)
}

/// How many entities a model finds of labels, by their names in the documents, that nobody looked for there, and where no annotation is.
fn found(
    bundle: &Bundle,
    workers: &Workers,
    documents: &[Document],
    named: impl Fn(&Label) -> Option<Label>,
) -> Result<usize, RecognitionError> {
    let inputs: Vec<Input<'_>> = documents.iter().map(Input::from).collect();
    let found = workers.recognize(&bundle.classifier, &bundle.codec, &inputs)?;
    let counts = |(document, found): (&Document, Vec<schema::Entity>)| {
        let is_free = |entity: &schema::Entity| document.entities().iter().all(|gold| !gold.span.overlaps(entity.span));
        let counts = |entity: &&schema::Entity| {
            named(&entity.label).is_some_and(|label| !document.is_complete_for(&label)) && is_free(entity)
        };
        found.iter().filter(counts).count()
    };
    Ok(documents.iter().zip(found).map(counts).sum())
}
