//! `nomen train --folds`: what a model of these texts can be expected to reach.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use corpus::{Format, WriteOptions, Writer};
use evaluate::{Average, Pair, Report, Settings as Judging};
use model::base::BaseSpec;
use schema::{Document, Entity};
use serde::Serialize;
use train::{RunConfig, Settings};

use super::{Folded, Pace, Set, cross_validate};
use crate::{fetching, progress::note, scores, table::Table};

const ANSWER: &str = "cross-validation.json";
const PREDICTIONS: &str = "predictions.jsonl";

/// The scores of a cross-validation.
#[derive(Serialize)]
pub struct CrossValidated {
    /// Those of each fold, by the model that had not seen it.
    folds: Vec<FoldScores>,
    /// Means over the folds.
    mean: Average,
    /// Standard deviations over the folds, of a sample.
    deviation: Average,
    /// All texts together, each as the model of its fold judged it.
    all: Report,
    base: BaseSpec,
    settings: Settings,
    /// What was found in every text.
    predictions: PathBuf,
}

#[derive(Serialize)]
struct FoldScores {
    /// From 1.
    fold: usize,
    texts: usize,
    entities: usize,
    #[serde(flatten)]
    scores: Average,
}

impl CrossValidated {
    /// Trains and judges, and writes the scores and what was found into a folder.
    pub fn of(config: &RunConfig, set: Set, folds: usize, out: &Path) -> anyhow::Result<Self> {
        if [ANSWER, PREDICTIONS, "run.lock"].iter().any(|name| out.join(name).exists()) {
            bail!("{} holds a run or a cross-validation already; name another --out", out.display());
        }
        let spec = config.base.clone().context("no base is set; name one with --base")?;
        let base = fetching::fetch(&spec)?;
        let (set, folded) = cross_validate(&base, config, set, folds, Pace::Full)?;
        let Folded { verdicts, folds, settings, .. } = folded;
        let found: Vec<Vec<Entity>> = verdicts.into_iter().map(|verdict| verdict.entities).collect();
        let pair = |document: usize| Pair { document: &set.documents[document], predicted: &found[document] };
        let judged = |documents: &[usize], resamples| {
            let pairs: Vec<Pair<'_>> = documents.iter().map(|document| pair(*document)).collect();
            Report::new(&pairs, &[], &Judging { resamples, ..Judging::default() })
        };
        let each: Vec<FoldScores> = folds
            .iter()
            .enumerate()
            .map(|(fold, documents)| {
                let micro = judged(documents, 0).scores.micro();
                FoldScores { fold: fold + 1, texts: documents.len(), entities: micro.gold, scores: micro.average() }
            })
            .collect();
        let all: Vec<usize> = (0..set.documents.len()).collect();
        let averages: Vec<Average> = each.iter().map(|fold| fold.scores).collect();
        let (mean, deviation) = spread(&averages);
        let answer = Self {
            mean,
            deviation,
            all: judged(&all, Judging::default().resamples),
            folds: each,
            base: spec,
            settings,
            predictions: out.join(PREDICTIONS),
        };
        answer.write(out, &set.documents, found)?;
        Ok(answer)
    }

    /// The scores last: a folder that has them is whole.
    fn write(&self, out: &Path, documents: &[Document], found: Vec<Vec<Entity>>) -> anyhow::Result<()> {
        let failed = |path: &Path| format!("{} cannot be written", path.display());
        fs::create_dir_all(out).with_context(|| failed(out))?;
        let mut writer = Writer::create(&self.predictions, Format::Jsonl, WriteOptions::default())?;
        for (document, entities) in documents.iter().zip(found) {
            writer.write(&document.clone().with_entities(entities)?)?;
        }
        for line in writer.save()?.to_string().lines() {
            note(line);
        }
        let path = out.join(ANSWER);
        fs::write(&path, serde_json::to_vec_pretty(self)?).with_context(|| failed(&path))
    }

    /// The folds in a table, then all texts.
    pub fn render(&self) -> String {
        let mut table = Table::default();
        table.row(["", "texts", "entities", "P", "R", "F1"].map(str::to_owned));
        let ratios = |average: Average| [average.p, average.r, average.f].map(|ratio| format!("{ratio:.3}"));
        for FoldScores { fold, texts, entities, scores } in &self.folds {
            let sizes = [texts, entities].map(ToString::to_string);
            table.row([format!("fold {fold}")].into_iter().chain(sizes).chain(ratios(*scores)));
        }
        for (name, average) in [("mean of folds", self.mean), ("deviation", self.deviation)] {
            let sizes = [String::new(), String::new()];
            table.row([name.to_owned()].into_iter().chain(sizes).chain(ratios(average)));
        }
        format!(
            "{}\nall texts, each judged by the model that had not seen it\n{}\npredictions: {}\n",
            table.render(),
            scores::render(&self.all),
            self.predictions.display()
        )
    }
}

/// Mean and standard deviation of a sample; there are at least two folds.
fn spread(folds: &[Average]) -> (Average, Average) {
    let of = |value: fn(&Average) -> f64| {
        let mean = folds.iter().map(value).sum::<f64>() / folds.len() as f64;
        let squares: f64 = folds.iter().map(|fold| (value(fold) - mean).powi(2)).sum();
        (mean, (squares / folds.len().saturating_sub(1).max(1) as f64).sqrt())
    };
    let [p, r, f] = [of(|fold| fold.p), of(|fold| fold.r), of(|fold| fold.f)];
    (Average { p: p.0, r: r.0, f: f.0 }, Average { p: p.1, r: r.1, f: f.1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let fold = |f| Average { p: 0.5, r: 0.5, f };
        let (mean, deviation) = spread(&[fold(0.6), fold(0.7), fold(0.8)]);
        assert!((mean.f - 0.7).abs() < 1e-12 && (deviation.f - 0.1).abs() < 1e-12 && deviation.p.abs() < 1e-12);
    }
}
