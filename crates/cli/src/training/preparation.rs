//! Everything between the files and the first step.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use corpus::{duplicates::TextHash, fingerprint};
use engine::Isa;
use model::{
    Bundle, CodecSettings,
    base::BaseFolder,
    bundle::NewModel,
    text::{Alignment, EncodedText},
};
use schema::{Document, Label, Schema};
use serde_json::{Value, json};
use train::{BaseFacts, Choice, DataFacts, Dataset, Facts, Fit, Identity, Plan, RunConfig, Settings, Warning};

use super::{Configuration, Data, Set, updating};
use crate::progress::note;

/// A run that is ready for its first step, and what was found on the way.
pub struct Prepared {
    /// The run.
    pub fit: Fit,
    /// What it must share with whoever goes on with it.
    pub identity: Identity,
    /// What of its settings was chosen.
    pub choices: Vec<Choice>,
    /// Size of the base.
    pub base: BaseFacts,
    /// What the user should know of the data.
    pub warnings: Vec<String>,
}

/// Decides the settings, tokenizes the data and puts a new head on the base.
pub fn prepare(config: &Configuration, data: &Data, base: &BaseFolder) -> anyhow::Result<Prepared> {
    let old = if Bundle::has_head(&base.path) { Some(Bundle::open(&base.path)?) } else { None };
    let schema = match (&data.known, &old) {
        (Some(known), Some(old)) => known.schema(&old.manifest.schema, data.learnt())?,
        (Some(_), None) => bail!("{}: there is no trained model in this folder", base.path.display()),
        (None, _) => {
            let labels = data.train.documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone());
            let mut labels: Vec<Label> = labels.collect();
            labels.sort_unstable();
            Schema::of_labels(labels)
        }
    };

    let facts = facts(config, data, base, &schema)?;
    let Plan { settings, .. } = train::plan(&config.resolved, &facts)?;
    let choices = choices(&config.wanted, &facts, &settings)?;
    if !choices.is_empty() {
        note("settings that were chosen (--set KEY=VALUE decides otherwise):");
        let width = |of: fn(&Choice) -> &str| choices.iter().map(|choice| of(choice).len()).max().unwrap_or(0);
        let (keys, values) = (width(|choice| choice.key), width(|choice| &choice.value));
        for Choice { key, value, why } in &choices {
            note(&format!("  {key:keys$}  {value:>values$}  {why}"));
        }
    }

    if settings.bf16 && !Isa::detect().has_bf16() {
        note("warning: this processor has no instructions for products of 16 bits: bf16=false trains faster here");
    }

    let model = NewModel { schema: &schema, settings: settings.codec(), seed: settings.seed };
    let mut bundle = Bundle::from_base(&base.path, &model)?;
    if let Some(old) = &old {
        let renamed = data.known.as_ref().map(|known| known.renamed.clone()).unwrap_or_default();
        let kept = bundle.keep_head(old, &renamed);
        let names: Vec<&str> = kept.iter().map(Label::as_str).collect();
        note(&match names.as_slice() {
            [] => "the base knows other labels; the head is new".to_owned(),
            _ => format!("the head of the base is kept for {}", names.join(", ")),
        });
    }
    let dataset = match (&data.known, &old) {
        (Some(known), Some(old)) => updating::dataset(&bundle, old, known, data, settings.threads)?,
        _ => Dataset::new(&bundle.codec, &data.train.documents, None)
            .with_context(|| format!("{} cannot be tokenized", data.train.path.display()))?,
    };
    let warning = Warning::of_unreachable(data.train.source(), dataset.unreachable.len());
    let warnings: Vec<String> = warning.iter().map(ToString::to_string).collect();
    for warning in &warnings {
        note(&format!("warning: {warning}"));
    }

    let sums: BTreeMap<String, String> =
        base.files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect();
    bundle.manifest.run = serde_json::to_value(&settings)?;
    bundle.manifest.base = provenance(base, &sums);
    bundle.manifest.data = data.provenance();
    bundle.trained_on.add(data.learnt().map(|document| TextHash::of(document.text()).get()));
    // The test set decides nothing.
    let learnt = data.sets().filter(|(name, _)| *name != "test");
    let identity = Identity {
        settings: settings.clone(),
        base: sums,
        data: learnt.map(|(name, set)| (name.to_owned(), fingerprint(&set.documents))).collect(),
        labels: schema.labels().map(ToString::to_string).collect(),
    };
    let (texts, pieces) = (data.learnt().count(), dataset.pieces());
    let dev = data.dev.as_ref().map(|dev| dev.documents.clone()).unwrap_or_default();
    let old_dev = data.known.as_ref().and_then(|known| Some(known.dev.as_ref()?.documents.clone()));
    let fit = Fit::new(bundle, settings, dataset, dev).keeping(old_dev.unwrap_or_default());
    note(&format!("{texts} texts, {pieces} word pieces, {} labels; {} steps", schema.len(), fit.steps()));
    Ok(Prepared { fit, identity, choices, base: facts.base, warnings })
}

/// What the settings are decided by.
fn facts(config: &Configuration, data: &Data, base: &BaseFolder, schema: &Schema) -> anyhow::Result<Facts> {
    // What the data says does not depend on how it is cut into windows.
    let alignment = config.resolved.alignment.unwrap_or(Alignment::Word);
    let settings = CodecSettings { alignment, max_length: 512, stride: 128 };
    let bundle = Bundle::from_base(&base.path, &NewModel { schema, settings, seed: 0 })?;
    let facts = |sets: &[&Set]| -> anyhow::Result<DataFacts> {
        let mut encoded: Vec<(&Document, EncodedText)> = Vec::new();
        for set in sets {
            for (index, document) in set.documents.iter().enumerate() {
                let failed = || format!("{}: document {} cannot be tokenized", set.path.display(), index + 1);
                encoded.push((document, bundle.codec.encode(document.into()).with_context(failed)?));
            }
        }
        Ok(DataFacts::of(encoded.iter().map(|(document, encoded)| (*document, encoded))))
    };
    let known = data.known.as_ref();
    let learnt = [Some(&data.train), known.and_then(|known| known.replay.as_ref()), known.and_then(|known| known.unlabelled.as_ref())];
    let learnt: Vec<&Set> = learnt.into_iter().flatten().collect();
    let parameters = bundle.classifier.parameters().iter().map(|parameter| parameter.values.len()).sum();
    Ok(Facts {
        train: facts(&learnt)?,
        dev: data.dev.as_ref().map(|dev| facts(&[dev])).transpose()?,
        base: BaseFacts::new(bundle.classifier.shape(), parameters),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// What was chosen where the user wanted nothing in particular. A run that is gone on with has all its settings
/// written down; those that would be chosen again are told again.
fn choices(wanted: &RunConfig, facts: &Facts, settings: &Settings) -> anyhow::Result<Vec<Choice>> {
    let plan = train::plan(wanted, facts)?;
    let (chosen, used) = (serde_json::to_value(&plan.settings)?, serde_json::to_value(settings)?);
    Ok(plan.choices.into_iter().filter(|choice| chosen.get(choice.key) == used.get(choice.key)).collect())
}

/// What a model says of the base that it was made from.
fn provenance(base: &BaseFolder, sums: &BTreeMap<String, String>) -> Value {
    json!({
        "spec": base.spec,
        "source": base.source,
        "commit": base.commit,
        "licence": base.licence,
        "files": sums,
    })
}
