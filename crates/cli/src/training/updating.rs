//! An update between the old model and the first step, and behind the last one.

use std::{num::NonZeroUsize, path::Path};

use anyhow::Context as _;
use model::{Bundle, Workers};
use schema::Document;
use train::{Dataset, Teacher, add_teacher_labels, calibrated_confidence, of_both, score};

use super::{
    Data, Finished,
    knowledge::{Knowledge, Method},
};
use crate::progress::note;

/// Of what the old model finds, at least this much is to be right where it is believed.
const PRECISION: f64 = 0.95;
/// The score from which it is believed where no old texts tell.
const CONFIDENCE: f32 = 0.9;
/// What is kept at least of the F1 on new texts when old weights are mixed in and no old texts tell how much that is worth
/// (docs/benchmarks.md, section 12).
const KEPT: f64 = 0.96;
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

/// Averages the best model of a run with the old one, by the share that is best on both dev sets, and saves it.
pub fn average(run: &Finished, old: &Path, knowledge: &Knowledge, data: &Data) -> anyhow::Result<()> {
    let path = run.folder.model_best();
    let (Some(dev), true) = (&data.dev, path.is_dir()) else {
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
    let old_dev = knowledge.dev.as_ref();
    let (mut tried, mut so_far) = (Vec::new(), 1.0);
    for share in SHARES {
        // What is mixed already is mixed further.
        mixed.average(&old, &knowledge.renamed, share / so_far);
        so_far = share;
        let of_old = old_dev.map(|dev| score(&workers, &mixed, &dev.documents)).transpose()?;
        let of_new = score(&workers, &mixed, &dev.documents)?;
        tried.push((of_old.map(|scores| scores.micro().f1()), of_new));
    }
    let figures: Vec<(Option<f64>, f64)> = tried.iter().map(|(old, new)| (*old, new.micro().f1())).collect();
    let place = chosen(&figures, knowledge.enough);
    let (share, (_, scores)) = (SHARES[place], tried.swap_remove(place));
    let f1 = scores.micro().f1();
    let why = if old_dev.is_some() { "is best on both dev sets" } else { "gives up little of the new" };
    note(&format!("averaged: {share:.1} of the new weights and the rest of the old {why}, F1 {f1:.3} on dev"));
    let mut bundle = Bundle::open(&path)?;
    bundle.average(&old, &knowledge.renamed, share);
    bundle.manifest.run[AVERAGED] = share.into();
    // The scores of the model as it is now, not of the one that was averaged.
    bundle.manifest.scores["dev"] = serde_json::to_value(&scores)?;
    Ok(bundle.save(&path)?)
}

/// Which of the shares to take, whose F1 on old texts, where there are some, and on new ones these are. They fall. It is that of the
/// best mean of both, that on old texts counted up to `enough`; where there are no old texts, the smallest behind that of the best F1 on the new ones which keeps [`KEPT`] of
/// it, as all between them do.
fn chosen(tried: &[(Option<f64>, f64)], enough: f64) -> usize {
    let means: Option<Vec<f64>> = tried.iter().map(|(old, new)| Some(of_both(*new, Some((*old)?), enough))).collect();
    if let Some(means) = means {
        return first_best(means.into_iter());
    }
    let best = first_best(tried.iter().map(|(_, new)| *new));
    let kept = tried.iter().skip(best).take_while(|(_, new)| *new >= KEPT * tried[best].1).count();
    best + kept.saturating_sub(1)
}

fn first_best(figures: impl Iterator<Item = f64>) -> usize {
    let better = |best: (usize, f64), (place, figure)| if figure > best.1 { (place, figure) } else { best };
    figures.enumerate().fold((0, 0.0), better).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_is_best_on_both_is_taken_and_of_equals_the_newest() {
        assert_eq!(chosen(&[(Some(0.2), 0.9), (Some(0.6), 0.8), (Some(0.9), 0.3)], 1.0), 1);
        assert_eq!(chosen(&[(Some(0.5), 0.5), (Some(0.5), 0.5)], 1.0), 0);
        assert_eq!(
            chosen(&[(Some(0.4), 0.8), (Some(0.6), 0.7), (Some(0.9), 0.6)], 0.5),
            0,
            "what is beyond enough is worth nothing"
        );
    }

    #[test]
    fn without_old_texts_little_of_the_new_is_given_up() {
        let new = |figures: &[f64]| chosen(&figures.iter().map(|new| (None, *new)).collect::<Vec<_>>(), 1.0);
        assert_eq!(new(&[0.617, 0.610, 0.595, 0.55, 0.6]), 2, "what lies behind a valley is not looked at");
        assert_eq!(new(&[0.6, 0.5]), 0);
        assert_eq!((new(&[0.5, 0.6, 0.59, 0.5]), new(&[0.0, 0.0])), (2, 1));
    }
}
