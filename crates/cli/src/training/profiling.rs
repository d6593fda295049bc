//! The profile of a model's own domain, with which `nomen monitor` compares what the model is asked later.

use std::{fs, path::Path};

use anyhow::Context as _;
use model::{Recognizer, bundle::PROFILE_FILE};
use operate::{
    predictions::Row,
    profile::{Known, Profile},
};
use schema::Label;

use super::Data;
use crate::{judgement::Judgement, progress::note};

/// The profile of the texts that this run has not learned from: those of dev and test, with the old texts that an update was
/// judged by. `base` is the folder of the base, whose profile knows what that one has seen.
pub fn profile(
    recognizer: &Recognizer,
    data: &Data,
    base: &Path,
    [dev, test]: [Option<Judgement<'_>>; 2],
) -> anyhow::Result<Option<Vec<u8>>> {
    // They belong to the domain also where the old model learned them.
    let old = data.known.as_ref().and_then(|old| old.dev.as_ref());
    let old = old.map(|old| Judgement::of(recognizer, &old.documents)).transpose()?;
    let sets: Vec<(&str, Judgement<'_>)> = [("dev", dev), ("old dev", old), ("test", test)]
        .into_iter()
        .filter_map(|(name, judgement)| Some((name, judgement?)))
        .collect();
    if sets.is_empty() {
        note(
            "no profile for `nomen monitor`: it is made of texts that the model has not learned from; give --dev or --test",
        );
        return Ok(None);
    }
    let known = known(data).join(&known_to(base)?);
    let rows: Vec<Row> = sets.iter().flat_map(|(_, judgement)| rows(judgement, &known)).collect();
    let names: Vec<&str> = sets.iter().map(|(name, _)| *name).collect();
    let labels: Vec<Label> = recognizer.bundle().manifest.schema.labels().cloned().collect();
    Ok(Some(Profile::new(&names.join(" and "), &rows, &labels, Some(known)).to_bytes()))
}

fn rows(judgement: &Judgement<'_>, known: &Known) -> Vec<Row> {
    let row = |pair: &evaluate::Pair<'_>| Row::of(pair.document.text(), pair.predicted, Some(known));
    judgement.pairs().iter().map(row).collect()
}

/// What the texts of this run have.
fn known(data: &Data) -> Known {
    let texts = data.learnt().map(schema::Document::text);
    let surfaces =
        data.learnt().flat_map(|document| document.entities().iter().map(|entity| entity.span.quote(document.text())));
    Known::of(texts, surfaces)
}

/// What the base has seen before, where it is a model with a profile.
fn known_to(base: &Path) -> anyhow::Result<Known> {
    let path = base.join(PROFILE_FILE);
    if !path.exists() {
        return Ok(Known::default());
    }
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    let profile = Profile::parse(&bytes).with_context(|| base.display().to_string())?;
    Ok(profile.known.unwrap_or_default())
}
