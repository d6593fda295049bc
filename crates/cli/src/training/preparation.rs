//! Everything between the files and the first step.

use std::collections::BTreeMap;

use anyhow::Context as _;
use corpus::{augment::Augmented, fingerprint};
use engine::Isa;
use model::{
    Bundle, CodecSettings,
    base::BaseFolder,
    bundle::NewModel,
    text::{Alignment, EncodedText},
};
use schema::{Document, Label, Schema};
use serde_json::{Value, json};
use train::{Augment, BaseFacts, Choice, DataFacts, Dataset, Facts, Fit, Identity, Plan, RunConfig, Settings, Warning};

use super::{Configuration, Data, Set, carrying, updating};
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
    /// Changed copies of the training texts.
    pub copies: Vec<Augmented>,
    /// The labels.
    schema: Schema,
}

/// Decides the settings, tokenizes the data and puts a new head on the base.
pub fn prepare(config: &Configuration, data: &Data, base: &BaseFolder) -> anyhow::Result<Prepared> {
    let schema = match &data.known {
        None => schema(&data.train.documents),
        Some(known) => {
            let old =
                trained(base)?.with_context(|| format!("{}: there is no trained model in it", base.path.display()))?;
            known.schema(&old.manifest.schema, data.learnt())?
        }
    };
    let facts = facts(config, data, base, &schema)?;
    let Plan { settings, .. } = train::plan(&config.resolved, &facts)?;
    let choices = choices(&config.wanted, &facts, &settings)?;
    tell(&choices);

    if settings.bf16 && !Isa::detect().has_bf16() {
        note("warning: this processor has no instructions for products of 16 bits: bf16=false trains faster here");
    }

    let copies = settings.augment.copies_of(&data.train.documents, &schema, settings.seed)?;
    let Assembled { fit, identity, unreachable, pieces } = assemble(data, base, &schema, settings, &copies)?;
    let warning = Warning::of_unreachable(data.train.source(), unreachable);
    let warnings: Vec<String> = warning.iter().map(ToString::to_string).collect();
    for warning in &warnings {
        note(&format!("warning: {warning}"));
    }
    let texts = data.learnt().count();
    let of_copies = if copies.is_empty() { String::new() } else { format!(" and {} changed copies", copies.len()) };
    note(&format!("{texts} texts{of_copies}, {pieces} word pieces, {} labels; {} steps", schema.len(), fit.steps()));
    Ok(Prepared { fit, identity, choices, base: facts.base, warnings, copies, schema })
}

impl Prepared {
    /// The same run without copies: as many steps, the same seed.
    pub fn without_copies(&self, data: &Data, base: &BaseFolder) -> anyhow::Result<(Fit, Identity)> {
        let settings = Settings {
            augment: Augment::default(),
            max_steps: self.fit.steps(),
            // As many as the steps need, so that the steps decide.
            num_train_epochs: u32::try_from(self.fit.steps()).unwrap_or(u32::MAX),
            ..self.fit.settings().clone()
        };
        let Assembled { fit, identity, .. } = assemble(data, base, &self.schema, settings, &[])?;
        Ok((fit, identity))
    }
}

/// A run in memory, and what its data came to.
struct Assembled {
    fit: Fit,
    identity: Identity,
    /// Entities that no tags can express.
    unreachable: usize,
    /// Word pieces of an epoch.
    pieces: usize,
}

/// Puts a new head on the base and the data behind it. Only the texts of the files count as what the model was trained
/// on: whoever has seen a copy has seen its source.
fn assemble(
    data: &Data,
    base: &BaseFolder,
    schema: &Schema,
    settings: Settings,
    copies: &[Augmented],
) -> anyhow::Result<Assembled> {
    let model = NewModel { schema, settings: settings.codec(), seed: settings.seed };
    let mut bundle = Bundle::from_base(&base.path, &model)?;
    let old = trained(base)?;
    if let Some(old) = &old {
        keep_head(&mut bundle, old, data);
    }
    let dataset = match (&data.known, &old) {
        (Some(known), Some(old)) => updating::dataset(&bundle, old, known, data, settings.threads)?,
        _ => Dataset::new(&bundle.codec, &data.train.documents, None)
            .with_context(|| format!("{} cannot be tokenized", data.train.path.display()))?,
    };
    let dataset = dataset
        .with_copies(&bundle.codec, copies)
        .with_context(|| format!("{} cannot be tokenized", data.train.path.display()))?;

    let sums: BTreeMap<String, String> =
        base.files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect();
    bundle.manifest.run = serde_json::to_value(&settings)?;
    bundle.manifest.base = provenance(base, &sums);
    bundle.manifest.data = data.provenance();
    bundle.trained_on.add(data.learnt_hashes());
    bundle.texts = carrying::carry(data, settings.keep_texts)?;
    // The test set decides nothing.
    let learnt = data.sets().filter(|(name, _)| *name != "test");
    let mut prints: BTreeMap<String, String> =
        learnt.map(|(name, set)| (name.to_owned(), fingerprint(&set.documents))).collect();
    if !copies.is_empty() {
        // Stands for the files of names and synonyms too.
        prints.insert("augmented".to_owned(), fingerprint(copies.iter().map(|copy| &copy.document)));
    }
    prints.extend(data.known.as_ref().map(|known| ("known".to_owned(), known.described())));
    let identity = Identity {
        settings: settings.clone(),
        base: sums,
        data: prints,
        labels: schema.labels().map(ToString::to_string).collect(),
    };
    let (unreachable, pieces) = (dataset.unreachable.len(), dataset.pieces());
    let dev = data.dev.as_ref().map(|dev| dev.documents.clone()).unwrap_or_default();
    let mut fit = Fit::new(bundle, settings, dataset, dev);
    if let Some(known) = &data.known
        && let Some(old_dev) = &known.dev
    {
        fit = fit.keeping(old_dev.documents.clone(), known.enough);
    }
    Ok(Assembled { fit, identity, unreachable, pieces })
}

/// The base, where it is a trained model rather than an encoder alone.
fn trained(base: &BaseFolder) -> anyhow::Result<Option<Bundle>> {
    Ok(if Bundle::has_head(&base.path) { Some(Bundle::open(&base.path)?) } else { None })
}

/// Takes over what the base's head says of labels that the model is to know.
fn keep_head(bundle: &mut Bundle, old: &Bundle, data: &Data) {
    let renamed = data.known.as_ref().map(|known| known.renamed.clone()).unwrap_or_default();
    let kept = bundle.keep_head(old, &renamed);
    let names: Vec<&str> = kept.iter().map(Label::as_str).collect();
    note(&match names.as_slice() {
        [] => "the base knows other labels; the head is new".to_owned(),
        _ => format!("the head of the base is kept for {}", names.join(", ")),
    });
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
    let learnt = [
        Some(&data.train),
        known.and_then(|known| known.replay.as_ref()),
        known.and_then(|known| known.unlabelled.as_ref()),
    ];
    let learnt: Vec<&Set> = learnt.into_iter().flatten().collect();
    let parameters = bundle.classifier.parameters().iter().map(|parameter| parameter.values.len()).sum();
    Ok(Facts {
        train: facts(&learnt)?,
        dev: data.dev.as_ref().map(|dev| facts(&[dev])).transpose()?,
        base: BaseFacts::new(bundle.classifier.shape(), parameters),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        known: known.map(|known| known.reached),
    })
}

/// What was chosen where the user wanted nothing in particular. A run that is gone on with has all its settings
/// written down; those that would be chosen again are told again.
fn choices(wanted: &RunConfig, facts: &Facts, settings: &Settings) -> anyhow::Result<Vec<Choice>> {
    let plan = train::plan(wanted, facts)?;
    let (chosen, used) = (serde_json::to_value(&plan.settings)?, serde_json::to_value(settings)?);
    let of = |settings: &Value, key: &str| settings.pointer(&format!("/{}", key.replace('.', "/"))).cloned();
    Ok(plan.choices.into_iter().filter(|choice| of(&chosen, choice.key) == of(&used, choice.key)).collect())
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
