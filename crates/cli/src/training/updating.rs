//! An update between the old model and the first step, and behind the last one.

use std::{num::NonZeroUsize, path::Path};

use anyhow::Context as _;
use evaluate::Scores;
use model::{Bundle, Workers};
use schema::Document;
use train::{Dataset, Teacher, add_teacher_labels, calibrated_confidence, score};

use super::{
    Data, Finished,
    knowledge::{Knowledge, Method},
};
use crate::progress::note;

/// Of what the old model finds, at least this much is to be right where it is believed.
const PRECISION: f64 = 0.95;
/// The score from which it is believed where no old texts tell.
const CONFIDENCE: f32 = 0.9;
/// Where a model's settings say which share of it is new.
const AVERAGED: &str = "averaged";
/// Shares of the new weights that are tried when old and new ones are averaged, falling.
const SHARES: [f32; 9] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];

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
            (None, Some(dev)) if !knowledge.dev_is_of_the_model => {
                let calibrated = calibrated_confidence(&dev.documents, old, &workers, PRECISION)?;
                if calibrated.is_none() {
                    note(
                        "warning: no score of the old model is right often enough on the old dev set; it teaches nothing",
                    );
                }
                calibrated.unwrap_or(f32::INFINITY)
            }
            (None, _) => CONFIDENCE,
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

/// Averages the best model of a run with the old one, by the share that is best on both dev sets, and saves it.
pub fn average(run: &Finished, old: &Path, knowledge: &Knowledge, data: &Data) -> anyhow::Result<()> {
    let path = run.folder.model_best();
    let (Some(dev), Some(old_dev), true) = (&data.dev, &knowledge.dev, path.is_dir()) else {
        note("old and new weights are not averaged: that needs a dev set (--dev)");
        return Ok(());
    };
    let mut mixed = Bundle::open(&path)?;
    // A run that was over before and is gone on with has this behind it.
    if mixed.manifest.run.get(AVERAGED).is_some() {
        return Ok(());
    }
    let workers = Workers::new(NonZeroUsize::new(run.settings.threads).unwrap_or(NonZeroUsize::MIN));
    let old = Bundle::open(old)?;
    let mut best: Option<(f64, f32, Scores)> = None;
    let mut so_far = 1.0;
    for share in SHARES {
        // What is mixed already is mixed further.
        mixed.average(&old, &knowledge.renamed, share / so_far);
        so_far = share;
        let scores = score(&workers, &mixed, &dev.documents)?;
        let of_old = score(&workers, &mixed, &old_dev.documents)?;
        let of_both = f64::midpoint(scores.micro().f1(), of_old.micro().f1());
        if best.as_ref().is_none_or(|(known, ..)| of_both > *known) {
            best = Some((of_both, share, scores));
        }
    }
    let Some((f1, share, scores)) = best else { return Ok(()) };
    note(&format!(
        "averaged: {share:.1} of the new weights and the rest of the old is best on both dev sets, F1 {f1:.3}"
    ));
    let mut bundle = Bundle::open(&path)?;
    bundle.average(&old, &knowledge.renamed, share);
    bundle.manifest.run[AVERAGED] = share.into();
    // The scores of the model as it is now, not of the one that was averaged.
    bundle.manifest.scores["dev"] = serde_json::to_value(&scores)?;
    Ok(bundle.save(&path)?)
}
