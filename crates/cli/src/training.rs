//! A training run from files to models: what `train` and `quickstart` share.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use corpus::fingerprint;
use model::{
    Bundle, CodecSettings,
    base::BaseFolder,
    bundle::NewModel,
    text::{Alignment, EncodedText},
};
use schema::{Document, Label, Schema};
use serde_json::{Value, json};
use train::{
    BaseFacts, DataFacts, Dataset, End, Facts, Fit, Flow, Identity, Outcome, Plan, Progress as Told, Run, RunConfig,
    RunError, RunFolder, Source, Warning,
};

use crate::{display::Display, fetching, progress::note, signals::Signals};

/// An annotated file.
pub struct Set {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub documents: Vec<Document>,
}

/// The data of a run.
pub struct Data {
    /// What is learned from.
    pub train: Set,
    /// What the best model is chosen by.
    pub dev: Option<Set>,
    /// What the best model is judged on.
    pub test: Option<Set>,
}

/// How a run came to its end.
pub enum Ending {
    /// By itself.
    Ended(End),
    /// A signal asked it to; the exit code says which.
    Asked(u8),
}

impl Set {
    fn source(&self) -> Source<'_> {
        Source { path: &self.path, documents: &self.documents }
    }

    /// What a model says of the data that it was made from.
    fn facts(&self) -> Value {
        let entities: usize = self.documents.iter().map(|document| document.entities().len()).sum();
        let file = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        json!({"file": file, "texts": self.documents.len(), "entities": entities, "fingerprint": fingerprint(&self.documents)})
    }
}

impl Data {
    fn sets(&self) -> impl Iterator<Item = (&'static str, &Set)> {
        [("train", Some(&self.train)), ("dev", self.dev.as_ref()), ("test", self.test.as_ref())]
            .into_iter()
            .filter_map(|(name, set)| Some((name, set?)))
    }
}

/// The run that was begun in a folder, if one was; nothing is made. It is refused unless it is to be gone on with.
pub fn begun(out: &Path, resume: bool) -> anyhow::Result<Option<RunFolder>> {
    if !out.join("run.lock").exists() {
        if resume {
            bail!("{}: there is no run in this folder to go on with; start one without --resume", out.display());
        }
        return Ok(None);
    }
    let folder = RunFolder::open(out)?;
    if folder.is_occupied() && !resume {
        return Err(RunError::Occupied(out.to_owned()).into());
    }
    Ok(Some(folder))
}

/// The configuration of a run that was begun, else the defaults.
pub fn configuration(begun: Option<&RunFolder>) -> anyhow::Result<RunConfig> {
    let path = begun.filter(|folder| folder.is_occupied()).map(|folder| folder.join("run.toml"));
    Ok(RunConfig::load(path.as_deref(), &[] as &[&str])?)
}

/// Trains into a folder, from the start or from where the run that was `begun` there is.
pub fn run(out: &Path, begun: Option<RunFolder>, config: &RunConfig, data: &Data) -> anyhow::Result<Ending> {
    let [dev, test] = [&data.dev, &data.test].map(|set| set.as_ref().map(Set::source));
    for warning in train::check(data.train.source(), dev, test)? {
        note(&format!("warning: {warning}"));
    }
    let spec = config.base.clone().context("no base is set; name one with --base")?;
    let base = fetching::fetch(&spec)?;
    let (mut fit, identity) = prepare(config, data, &base)?;
    let folder = match begun {
        Some(folder) => folder,
        None => RunFolder::open(out)?,
    };
    let resume = folder.is_occupied();
    if !resume {
        let settings = RunConfig::of(spec, fit.settings()).to_toml();
        let path = folder.join("run.toml");
        fs::write(&path, settings).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let mut run = if resume { Run::resume(&folder, identity, &mut fit)? } else { Run::begin(&folder, identity)? };
    if let Some(resumed) = &run.resumed {
        resumed.damaged.iter().for_each(|damage| note(&format!("warning: passed over a damaged checkpoint: {damage}")));
        note(&format!("going on from step {} of {}", resumed.step, fit.steps()));
    }
    drive(&mut run, &mut fit)
}

/// Decides the settings, tokenizes the data and puts a new head on the base.
fn prepare(config: &RunConfig, data: &Data, base: &BaseFolder) -> anyhow::Result<(Fit, Identity)> {
    let labels = data.train.documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone());
    let mut labels: Vec<Label> = labels.collect();
    labels.sort_unstable();
    let schema = Schema::of_labels(labels);
    let Plan { settings, choices, steps } = decide(config, data, base, &schema)?;
    if !choices.is_empty() {
        note("settings that were chosen (--set KEY=VALUE decides otherwise):");
        let width = |of: fn(&train::Choice) -> &str| choices.iter().map(|choice| of(choice).len()).max().unwrap_or(0);
        let (keys, values) = (width(|choice| choice.key), width(|choice| &choice.value));
        for choice in &choices {
            note(&format!("  {:keys$}  {:>values$}  {}", choice.key, choice.value, choice.why));
        }
    }

    let mut bundle =
        Bundle::from_base(&base.path, &NewModel { schema: &schema, settings: settings.codec(), seed: settings.seed })?;
    let dataset = Dataset::new(&bundle.codec, &data.train.documents)
        .with_context(|| format!("{} cannot be tokenized", data.train.path.display()))?;
    if let Some(warning) = Warning::of_unreachable(data.train.source(), dataset.unreachable.len()) {
        note(&format!("warning: {warning}"));
    }
    let sums: BTreeMap<String, String> =
        base.files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect();
    bundle.manifest.run = serde_json::to_value(&settings)?;
    bundle.manifest.base = json!({
        "spec": base.spec,
        "source": base.source,
        "commit": base.commit,
        "licence": base.licence,
        "files": sums,
    });
    bundle.manifest.data = data.sets().map(|(name, set)| (name.to_owned(), set.facts())).collect();
    let learnt = data.sets().filter(|(name, _)| *name != "test");
    let identity = Identity {
        settings: settings.clone(),
        base: sums,
        data: learnt.map(|(name, set)| (name.to_owned(), fingerprint(&set.documents))).collect(),
        labels: schema.labels().map(ToString::to_string).collect(),
    };
    note(&format!(
        "{} texts, {} word pieces, {} labels; about {steps} steps",
        data.train.documents.len(),
        dataset.pieces(),
        schema.len()
    ));
    let dev = data.dev.as_ref().map(|dev| dev.documents.clone()).unwrap_or_default();
    Ok((Fit::new(bundle, settings, dataset, dev), identity))
}

/// The settings that configuration, data and base lead to.
fn decide(config: &RunConfig, data: &Data, base: &BaseFolder, schema: &Schema) -> anyhow::Result<Plan> {
    // What the data says does not depend on how it is cut into windows.
    let settings =
        CodecSettings { alignment: config.alignment.unwrap_or(Alignment::Word), max_length: 512, stride: 128 };
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
    let facts = Facts {
        train: facts(&data.train)?,
        dev: data.dev.as_ref().map(facts).transpose()?,
        base: BaseFacts::new(bundle.classifier.shape(), parameters),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    };
    Ok(train::plan(config, &facts)?)
}

/// Takes the steps, and shows them.
fn drive(run: &mut Run<'_>, fit: &mut Fit) -> anyhow::Result<Ending> {
    let signals = Signals::listen().context("signals cannot be listened for")?;
    let mut display = Display::new(fit.state().step, fit.steps());
    let outcome = run.drive(fit, |told| {
        match told {
            Told::Step(report) => display.step(report),
            Told::BestSaved => {}
            Told::NotSaved(error) => display.note(&format!("warning: not saved, the run goes on: {error}")),
        }
        if signals.leave().is_some() { Flow::Stop } else { Flow::Continue }
    })?;
    display.summarize();
    match (outcome, signals.leave()) {
        (Outcome::Ended(end), _) => Ok(Ending::Ended(end)),
        (Outcome::Stopped, code) => Ok(Ending::Asked(code.unwrap_or_default())),
    }
}
