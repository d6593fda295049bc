//! The copies of the training texts in a run's folder, and the run without them that they are measured by.

use std::num::NonZeroUsize;

use corpus::{
    Format, WriteOptions,
    augment::{Augmented, Method, MethodSummary, Summary},
};
use evaluate::Change;
use model::{Bundle, Recognizer, Workers, base::BaseFolder};
use train::{Augmentations, Outcome, RunFolder};

use super::{Data, Prepared, drive, start};
use crate::{judgement::Judgement, progress::note, signals::Signals};

/// Folder of the run without copies, inside of the run's.
pub const WITHOUT: &str = "without-augmentation";

/// How measuring went.
pub enum Measured {
    /// Done: nothing where there are no copies.
    Done(Option<Summary>),
    /// A signal stopped it.
    Asked(u8),
}

/// Writes the copies down, and takes the run without them to its end where one was asked for.
pub fn measure(
    folder: &RunFolder,
    prepared: &Prepared,
    data: &Data,
    base: &BaseFolder,
    signals: &Signals,
) -> anyhow::Result<Measured> {
    if prepared.copies.is_empty() {
        return Ok(Measured::Done(None));
    }
    write(folder, &prepared.copies)?;
    let summary = Summary::of(&prepared.copies);
    if prepared.fit.settings().augment.compare.unwrap_or(false) && data.dev.is_some() {
        let folder = RunFolder::open(&folder.join(WITHOUT))?;
        let (mut fit, identity) = prepared.without_copies(data, base)?;
        note(&format!(
            "without copies first, for comparison, into {} (--set augment.compare=false leaves it out)",
            folder.path().display()
        ));
        let mut run = start(&folder, identity, &mut fit)?;
        if fit.state().ended.is_none() && drive(&mut run, &mut fit, |_| signals.leave().is_some())? == Outcome::Stopped
        {
            return Ok(Measured::Asked(signals.leave().unwrap_or_default()));
        }
        note("now with the copies");
    }
    Ok(Measured::Done(Some(summary)))
}

/// What the copies brought on dev, where there is a run without them to compare with.
pub fn judge(
    summary: &Summary,
    folder: &RunFolder,
    recognizer: &Recognizer,
    data: &Data,
    threads: NonZeroUsize,
) -> anyhow::Result<Augmentations> {
    let path = folder.join(WITHOUT).join("model-best");
    let on_dev = match &data.dev {
        Some(dev) if path.is_dir() => {
            let without = Bundle::open(&path)?.into_recognizer(Workers::new(threads));
            let before = Judgement::of(&without, &dev.documents)?;
            let after = Judgement::of(recognizer, &dev.documents)?;
            Change::of_pairs(&before.pairs(), &after.pairs())
        }
        _ => None,
    };
    Ok(Augmentations { summary: summary.clone(), on_dev })
}

/// What was made and what it brought, for a person.
pub fn render(augmentations: &Augmentations) -> String {
    let Augmentations { summary, on_dev } = augmentations;
    let count = |(method, made): (Method, MethodSummary)| format!("{method} in {}", made.texts);
    let methods: Vec<String> = summary.by_method().map(count).collect();
    let mut told = format!(
        "augmentation: {} copies, {} of them unchanged; {}\n",
        summary.copies,
        summary.unchanged,
        methods.join(", ")
    );
    if let Some(change) = on_dev {
        let brought = format!(
            "  dev F1 {:.3} without, {:.3} with: {:+.3}, 95 % interval {:+.3} to {:+.3}{}\n",
            change.before.f1(),
            change.after.f1(),
            change.change,
            change.interval.low,
            change.interval.high,
            if change.is_beyond_chance() { "" } else { "; chance alone may do that" }
        );
        told.push_str(&brought);
    }
    told
}

fn write(folder: &RunFolder, copies: &[Augmented]) -> anyhow::Result<()> {
    let path = folder.join("augmented.jsonl");
    let mut file = corpus::Writer::create(&path, Format::Jsonl, WriteOptions::default())?;
    for copy in copies {
        file.write(&copy.document)?;
    }
    file.save()?;
    note(&format!("copies: {}", path.display()));
    Ok(())
}
