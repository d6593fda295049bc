//! A cross-validation as a person sees it: one training run a fold, and every text judged by the model of its fold.

use std::time::Instant;

use anyhow::Context as _;
use model::{base::BaseFolder, decode::TagSet};
use train::{Choice, CrossValidation, Plan, RunConfig, Settings, Verdict};

use super::{
    Configuration, Data, Set,
    display::Display,
    preparation::{facts, schema, tell},
};
use crate::progress::note;

/// How long the models of the folds are trained where nobody says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As long as a model that is to be used.
    Full,
    /// A third as many epochs: enough to see which annotations stand out.
    Short,
}

/// Texts that were each judged by a model that has not seen them.
pub struct Folded {
    /// One a text, in order.
    pub verdicts: Vec<Verdict>,
    /// The positions of the texts of each fold.
    pub folds: Vec<Vec<usize>>,
    /// The tags of the verdicts.
    pub tag_set: TagSet,
    /// What every run used.
    pub settings: Settings,
}

/// Trains a model for every fold of a set and lets it judge the fold.
pub fn cross_validate(
    base: &BaseFolder,
    config: &RunConfig,
    set: Set,
    folds: usize,
    pace: Pace,
) -> anyhow::Result<(Set, Folded)> {
    let data = Data { train: set, dev: None, test: None, known: None };
    let warnings = data.check()?;
    if pace == Pace::Full {
        warnings
            .iter()
            .map(ToString::to_string)
            .chain(data.disagreements())
            .for_each(|warning| note(&format!("warning: {warning}")));
    }
    let (settings, choices) = settings(base, config, &data, pace)?;
    tell(&choices);
    let train = &data.train;
    let cross = CrossValidation::new(train.source(), &base.path, settings.clone(), folds)?;
    let begun = Instant::now();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; train.documents.len()];
    let mut tag_set = None;
    for (fold, held_out) in cross.folds().iter().enumerate() {
        let (number, texts) = (fold + 1, held_out.len());
        note(&format!("fold {number}/{folds}: {} texts to learn from, {texts} to judge", verdicts.len() - texts));
        let mut fit = cross.fit(fold)?;
        let mut display = Display::new(0, fit.steps());
        while let Some(report) = fit.step().with_context(|| format!("fold {number}"))? {
            display.step(&report);
        }
        drop(display);
        for (document, verdict) in held_out.iter().zip(cross.judge(fold, &mut fit)?) {
            verdicts[*document] = Some(verdict);
        }
        tag_set = Some(fit.bundle().codec.tag_set().clone());
    }
    note(&format!("{folds} folds in {:.0} s", begun.elapsed().as_secs_f64()));
    let folds = cross.folds().to_vec();
    let verdicts = verdicts.into_iter().collect::<Option<Vec<_>>>().context("a text belongs to no fold")?;
    let tag_set = tag_set.context("there is no fold")?;
    Ok((data.train, Folded { verdicts, folds, tag_set, settings }))
}

/// What every run uses, and what of it was chosen.
fn settings(base: &BaseFolder, config: &RunConfig, data: &Data, pace: Pace) -> anyhow::Result<(Settings, Vec<Choice>)> {
    let configuration = Configuration { wanted: config.clone(), resolved: config.clone(), tracking: Vec::new() };
    // What stands out is seen without copies, too.
    let mut config = config.clone();
    if pace == Pace::Short {
        config.augment.copies.get_or_insert(0);
    }
    let facts = facts(&configuration, data, base, &schema(&data.train.documents))?;
    let Plan { mut settings, mut choices, .. } = train::plan(&config, &facts)?;
    let is_free = pace == Pace::Short && config.max_steps.unwrap_or(0) == 0;
    if let Some(choice) = choices.iter_mut().find(|choice| choice.key == "num_train_epochs").filter(|_| is_free) {
        settings.num_train_epochs = ((settings.num_train_epochs + 1) / 3).max(1);
        choice.value = settings.num_train_epochs.to_string();
        "a third of what a model to use would get; enough to see what stands out".clone_into(&mut choice.why);
    }
    choices.retain(|choice| !matches!(choice.key, "eval_every" | "patience"));
    Ok((settings, choices))
}
