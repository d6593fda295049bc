//! What is done to the best model of an update behind its last step.

use std::{num::NonZeroUsize, path::Path};

use model::{Bundle, Workers};
use schema::Document;
use train::{correct_bias, of_both, score};

use super::{
    Data, Finished,
    knowledge::{Knowledge, Method},
};
use crate::progress::note;

/// What is kept at least of the F1 on new texts when old weights are mixed in and no old texts tell how much that is worth
/// (docs/benchmarks.md, section 12).
const KEPT: f64 = 0.92;
/// Where a model's settings say which share of it is new, and by how much the bias of old labels was raised.
const AVERAGED: &str = "averaged";
const RAISED: &str = "raised";
/// Shares of the new weights that are tried when old and new ones are averaged, falling.
const SHARES: [f32; 9] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];

/// Averages the best model of an update with the old one and corrects its bias, where that is asked for and as the dev sets say, and
/// saves it.
pub fn correct(run: &Finished, old: &Path, knowledge: &Knowledge, data: &Data) -> anyhow::Result<()> {
    let (is_averaged, is_corrected) = (knowledge.uses(Method::Averaging), knowledge.uses(Method::Bias));
    if !is_averaged && !is_corrected {
        return Ok(());
    }
    let path = run.folder.model_best();
    let (Some(dev), true) = (&data.dev, path.is_dir()) else {
        note("weights are not averaged and no bias is corrected: that needs a dev set (--dev)");
        return Ok(());
    };
    let mut bundle = Bundle::open(&path)?;
    // A run that was over before and is gone on with has this behind it.
    if [AVERAGED, RAISED].iter().any(|done| bundle.manifest.run.get(done).is_some()) {
        return Ok(());
    }
    let workers = Workers::new(NonZeroUsize::new(run.settings.threads).unwrap_or(NonZeroUsize::MIN));
    let old = Bundle::open(old)?;
    if is_averaged {
        let share = share(&path, &old, &workers, knowledge, &dev.documents)?;
        bundle.average(&old, &knowledge.renamed, share);
        bundle.manifest.run[AVERAGED] = share.into();
    }
    if is_corrected {
        let named = |label: &_| knowledge.named(label);
        let raised = correct_bias(&mut bundle, &old, &workers, &dev.documents, named)?;
        note(&format!(
            "the bias of labels that nobody looked for in the new dev set is raised by {raised}, for them to be found there as often as by \
             the old model"
        ));
        bundle.manifest.run[RAISED] = raised.into();
    }
    // The scores of the model as it is now, not of the one that training left.
    let scores = score(&workers, &bundle, &dev.documents)?;
    bundle.manifest.scores["dev"] = serde_json::to_value(&scores)?;
    Ok(bundle.save(&path)?)
}

/// The share of the new weights that is best on both dev sets when the model of a folder is averaged with the old one.
fn share(path: &Path, old: &Bundle, workers: &Workers, knowledge: &Knowledge, dev: &[Document]) -> anyhow::Result<f32> {
    let mut mixed = Bundle::open(path)?;
    let (mut tried, mut so_far) = (Vec::new(), 1.0);
    for share in SHARES {
        // What is mixed already is mixed further.
        mixed.average(old, &knowledge.renamed, share / so_far);
        so_far = share;
        let f1 = |documents| score(workers, &mixed, documents).map(|scores| scores.micro().f1());
        let of_old = knowledge.dev.as_ref().map(|old| f1(&old.documents)).transpose()?;
        tried.push((of_old, f1(dev)?));
    }
    let place = chosen(&tried, knowledge.enough);
    let why = if knowledge.dev.is_some() { "is best on both dev sets" } else { "gives up little of the new" };
    let (share, f1) = (SHARES[place], tried[place].1);
    note(&format!("averaged: {share:.1} of the new weights and the rest of the old {why}, F1 {f1:.3} on dev"));
    Ok(share)
}

/// Which of the shares to take, whose F1 on old texts, where there are some, and on new ones these are. They fall. It is that of the
/// best mean of both, that on old texts counted up to `enough`; where there are no old texts, the smallest behind that of the best F1
/// on the new ones which keeps [`KEPT`] of it, as all between them do.
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
