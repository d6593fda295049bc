//! An update between the old model and the first step.

use std::num::NonZeroUsize;

use anyhow::Context as _;
use model::{Bundle, Workers};
use schema::Document;
use train::{Dataset, Teacher, add_teacher_labels, calibrated_confidence};

use super::{
    Data,
    knowledge::{Knowledge, Method},
};
use crate::progress::note;

/// Of what the old model finds, at least this much is to be right where it is believed.
const PRECISION: f64 = 0.95;
/// The score from which it is believed where no old texts tell.
const CONFIDENCE: f32 = 0.9;
/// The training set of an update: new texts, old ones, and what the old model says of them.
pub fn dataset(
    new: &Bundle,
    old: &Bundle,
    knowledge: &Knowledge,
    data: &Data,
    threads: usize,
) -> anyhow::Result<Dataset> {
    let workers = Workers::new(NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN));
    let mut documents: Vec<Document> = data.learnt().cloned().collect();
    if knowledge.uses(Method::Teacher) {
        let confidence = match (knowledge.confidence, &knowledge.dev) {
            (Some(confidence), _) => confidence,
            (None, Some(dev)) => {
                let calibrated = calibrated_confidence(&dev.documents, old, &workers, PRECISION)?;
                if calibrated.is_none() {
                    note(
                        "warning: no score of the old model is right often enough on the old dev set; it teaches nothing",
                    );
                }
                calibrated.unwrap_or(f32::INFINITY)
            }
            (None, None) => CONFIDENCE,
        };
        let named = |label: &_| knowledge.named(label);
        let added = add_teacher_labels(&mut documents, old, &workers, confidence, named)?;
        note(&format!("the old model annotated {added} entities with a score of at least {confidence:.3}"));
    }
    if !knowledge.uses(Method::Partial) && !knowledge.uses(Method::Distillation) {
        for document in &mut documents {
            document.looked_for = None;
        }
    }
    let tag = |name: &str| {
        let set = old.codec.tag_set();
        let label = set.tag(name).and_then(|tag| set.label(tag));
        let Some(label) = label else { return Some(new.codec.tag_set().outside()) };
        let named = knowledge.named(label)?;
        new.codec.tag_set().tag(&name.replacen(label.as_str(), named.as_str(), 1))
    };
    let teacher = Teacher::new(old, &workers, &new.codec, tag, knowledge.temperature);
    let teacher = knowledge.uses(Method::Distillation).then_some(&teacher);
    Dataset::new(&new.codec, &documents, teacher)
        .with_context(|| format!("{} cannot be tokenized", data.train.path.display()))
}
