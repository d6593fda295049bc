//! A model judged on annotated documents.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use evaluate::{Pair, Report, Settings, Slices};
use model::{Input, Recognizer, text::Reason};
use schema::{Document, Entity, Label};

use crate::progress::{Progress, note};

/// Texts between two moves of the progress bar.
const SHARE: usize = 256;

/// What a model finds in annotated documents, ready to be judged.
pub struct Judgement<'d> {
    documents: &'d [Document],
    predicted: Vec<Vec<Entity>>,
    unreachable: Vec<(usize, Entity)>,
}

impl<'d> Judgement<'d> {
    /// Runs the model on these documents.
    pub fn of(recognizer: &Recognizer, documents: &'d [Document]) -> anyhow::Result<Self> {
        let predicted = recognize(recognizer, documents)?;
        let unreachable = unreachable(recognizer, documents)?;
        Ok(Self { documents, predicted, unreachable })
    }

    /// The report.
    pub fn report(&self, settings: &Settings) -> Report {
        Report::new(&self.pairs(), &self.unreachable, settings)
    }

    /// The scores by the values of a metadata field.
    pub fn slices(&self, key: &str, settings: &Settings) -> Slices {
        Slices::of(key, &self.pairs(), settings)
    }

    /// Each document beside what was found in it.
    pub fn pairs(&self) -> Vec<Pair<'_>> {
        let pair = |(document, predicted)| Pair { document, predicted };
        self.documents.iter().zip(self.predicted.iter().map(Vec::as_slice)).map(pair).collect()
    }
}

/// The report on these documents, of `labels` only where they are given.
pub fn report(recognizer: &Recognizer, documents: &[Document], labels: Option<Vec<Label>>) -> anyhow::Result<Report> {
    Ok(Judgement::of(recognizer, documents)?.report(&Settings { labels, ..Settings::default() }))
}

/// The entities of every document, with its known words where it has any.
pub fn recognize(recognizer: &Recognizer, documents: &[Document]) -> anyhow::Result<Vec<Vec<Entity>>> {
    let total = documents.len();
    let mut progress = Progress::new("judging", total as u64, "texts");
    let mut entities = Vec::with_capacity(total);
    for share in documents.chunks(SHARE) {
        let inputs: Vec<Input<'_>> = share.iter().map(Input::from).collect();
        let failed = || format!("the model failed on texts {} to {}", entities.len() + 1, entities.len() + share.len());
        let found = recognizer.inputs(&inputs).with_context(failed)?;
        entities.extend(found);
        let done = entities.len();
        progress.set(done as u64, || format!("judged {done} of {total} texts"));
    }
    Ok(entities)
}

/// The gold entities that no tags of the model can express, with the position of their document; why is noted.
fn unreachable(recognizer: &Recognizer, documents: &[Document]) -> anyhow::Result<Vec<(usize, Entity)>> {
    let codec = &recognizer.bundle().codec;
    let mut unreachable = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut unknown: BTreeSet<&Label> = BTreeSet::new();
    for (position, document) in documents.iter().enumerate() {
        let encoded = codec.encode(document.into()).with_context(|| format!("text {}", position + 1))?;
        for missed in codec.targets(document, &encoded).unreachable {
            let entity = &document.entities()[missed.entity];
            *reasons.entry(missed.reason.to_string()).or_default() += 1;
            if missed.reason == Reason::UnknownLabel {
                unknown.insert(&entity.label);
            }
            unreachable.push((position, entity.clone()));
        }
    }
    for (reason, count) in reasons {
        note(&format!("unreachable entities: {count}, because {reason}"));
    }
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.into_iter().map(Label::as_str).collect();
        note(&format!("labels that the model does not know: {}", names.join(", ")));
    }
    Ok(unreachable)
}
