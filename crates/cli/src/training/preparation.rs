//! Everything between the files and the first step.

use std::collections::BTreeMap;

use anyhow::Context as _;
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

use super::{Configuration, Data, Set};
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
    let schema = schema(&data.train.documents);
    let facts = facts(config, data, base, &schema)?;
    let Plan { settings, .. } = train::plan(&config.resolved, &facts)?;
    let choices = choices(&config.wanted, &facts, &settings)?;
    tell(&choices);

    if settings.bf16 && !Isa::detect().has_bf16() {
        note("warning: this processor has no instructions for products of 16 bits: bf16=false trains faster here");
    }

    let model = NewModel { schema: &schema, settings: settings.codec(), seed: settings.seed };
    let mut bundle = Bundle::from_base(&base.path, &model)?;
    let dataset = Dataset::new(&bundle.codec, &data.train.documents)
        .with_context(|| format!("{} cannot be tokenized", data.train.path.display()))?;
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
    bundle.trained_on.add(data.train.documents.iter().map(|document| TextHash::of(document.text()).get()));
    // The test set decides nothing.
    let learnt = data.sets().filter(|(name, _)| *name != "test");
    let identity = Identity {
        settings: settings.clone(),
        base: sums,
        data: learnt.map(|(name, set)| (name.to_owned(), fingerprint(&set.documents))).collect(),
        labels: schema.labels().map(ToString::to_string).collect(),
    };
    let (texts, pieces) = (data.train.documents.len(), dataset.pieces());
    let dev = data.dev.as_ref().map(|dev| dev.documents.clone()).unwrap_or_default();
    let fit = Fit::new(bundle, settings, dataset, dev);
    note(&format!("{texts} texts, {pieces} word pieces, {} labels; {} steps", schema.len(), fit.steps()));
    Ok(Prepared { fit, identity, choices, base: facts.base, warnings })
}

/// The labels of the entities.
pub(super) fn schema(documents: &[Document]) -> Schema {
    let labels = documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone());
    let mut labels: Vec<Label> = labels.collect();
    labels.sort_unstable();
    Schema::of_labels(labels)
}

/// Says what was chosen, and why.
pub(super) fn tell(choices: &[Choice]) {
    if choices.is_empty() {
        return;
    }
    note("settings that were chosen (--set KEY=VALUE decides otherwise):");
    let width = |of: fn(&Choice) -> &str| choices.iter().map(|choice| of(choice).len()).max().unwrap_or(0);
    let (keys, values) = (width(|choice| choice.key), width(|choice| &choice.value));
    for Choice { key, value, why } in choices {
        note(&format!("  {key:keys$}  {value:>values$}  {why}"));
    }
}

/// What the settings are decided by.
pub(super) fn facts(config: &Configuration, data: &Data, base: &BaseFolder, schema: &Schema) -> anyhow::Result<Facts> {
    // What the data says does not depend on how it is cut into windows.
    let alignment = config.resolved.alignment.unwrap_or(Alignment::Word);
    let settings = CodecSettings { alignment, max_length: 512, stride: 128 };
    let bundle = Bundle::from_base(&base.path, &NewModel { schema, settings, seed: 0 })?;
    let facts = |set: &Set| -> anyhow::Result<DataFacts> {
        let encode = |(index, document): (usize, &Document)| {
            let failed = || format!("{}: document {} cannot be tokenized", set.path.display(), index + 1);
            bundle.codec.encode(document.into()).with_context(failed)
        };
        let encoded: Vec<EncodedText> = set.documents.iter().enumerate().map(encode).collect::<Result<_, _>>()?;
        Ok(DataFacts::of(set.documents.iter().zip(&encoded)))
    };
    let parameters = bundle.classifier.parameters().iter().map(|parameter| parameter.values.len()).sum();
    Ok(Facts {
        train: facts(&data.train)?,
        dev: data.dev.as_ref().map(facts).transpose()?,
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
