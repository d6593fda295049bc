//! A run that takes a second: the tiny BERT of the golden files, and documents with a pattern that it can learn.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use corpus::fingerprint;
use engine::Random;
use model::{Bundle, bundle::NewModel, text::Alignment};
use nomen_train::{
    Augment, Dataset, Events, Fit, Flow, Identity, Outcome, Progress, Run, RunError, RunFolder, Scheduler, Settings,
};
use schema::{Document, Entity, Label, Schema, Span};
use serde_json::Value;

/// Words that belong to a label wherever they stand, and words that belong to none.
const PER: [&str; 3] = ["teacher", "arno", "nora hand"];
const WORK: [&str; 3] = ["north rain", "harbour", "the boat"];
const OTHER: [&str; 8] = ["and", "were", "example", "compile", "teaches", "an", "reads", "today"];

/// Texts of five to nine words, about half of which are entities.
pub fn documents(count: usize, seed: u64) -> Vec<Document> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| {
            let (mut text, mut entities) = (String::new(), Vec::new());
            for _ in 0..5 + random.below(5) {
                let (words, label): (&[&str], _) = match random.below(4) {
                    0 => (&PER, Some("PER")),
                    1 => (&WORK, Some("creative-work")),
                    _ => (&OTHER, None),
                };
                if !text.is_empty() {
                    text.push(' ');
                }
                let start = text.len();
                text.push_str(words[random.below(words.len())]);
                if let Some(label) = label {
                    entities.push(Entity::new(Span::new(start, text.len()).unwrap(), Label::new(label).unwrap()));
                }
            }
            Document::new(text).with_entities(entities).unwrap()
        })
        .collect()
}

/// The data that [`fit`] trains on.
pub fn train_set() -> Vec<Document> {
    documents(160, 1)
}

/// The data that [`fit`] is judged on.
pub fn dev_set() -> Vec<Document> {
    documents(40, 2)
}

/// Three epochs of 20 steps, an evaluation after each.
pub fn settings() -> Settings {
    Settings {
        learning_rate: 5e-3,
        lr_scheduler: Scheduler::Linear,
        warmup_ratio: 0.1,
        num_train_epochs: 3,
        max_steps: 0,
        train_batch_size: 8,
        train_batch_pieces: 0,
        weight_decay: 0.01,
        max_grad_norm: 1.0,
        dropout: None,
        alignment: Alignment::Word,
        max_length: 64,
        stride: 16,
        seed: 42,
        threads: 2,
        eval_every: 0,
        patience: 0,
        checkpoint_every: 0,
        bf16: false,
        layer_decay: 1.0,
        l2_sp: 0.0,
        keep_texts: 0,
        freeze_embeddings: false,
        freeze_layers: 0,
        augment: Augment::default(),
    }
}

/// A new model for the labels of [`documents`].
pub fn bundle(settings: &Settings) -> Bundle {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/testdata/bert");
    let schema = Schema::of_labels(["PER", "creative-work"].map(|label| Label::new(label).unwrap()));
    Bundle::from_base(&base, &NewModel { schema: &schema, settings: settings.codec(), seed: settings.seed }).unwrap()
}

/// A run in memory.
pub fn fit(settings: Settings) -> Fit {
    fit_on(settings, &train_set(), dev_set())
}

/// A run in memory over these documents.
pub fn fit_on(settings: Settings, train: &[Document], dev: Vec<Document>) -> Fit {
    let bundle = bundle(&settings);
    let dataset = Dataset::new(&bundle.codec, train, None).unwrap();
    Fit::new(bundle, settings, dataset, dev)
}

/// What [`fit`] is identified by.
pub fn identity(settings: &Settings) -> Identity {
    Identity {
        settings: settings.clone(),
        base: BTreeMap::from([
            ("config.json".to_owned(), "c0".to_owned()),
            ("model.safetensors".to_owned(), "a1".to_owned()),
        ]),
        data: BTreeMap::from([
            ("train".to_owned(), fingerprint(&train_set())),
            ("dev".to_owned(), fingerprint(&dev_set())),
        ]),
        labels: vec!["PER".to_owned(), "creative-work".to_owned()],
    }
}

/// Begins the run in a folder, or goes on with the one that is there.
pub fn drive(
    path: &Path,
    settings: &Settings,
    observe: impl FnMut(Progress<'_>) -> Flow,
) -> Result<Outcome, Box<RunError>> {
    let folder = RunFolder::open(path)?;
    let mut fit = fit(settings.clone());
    let identity = identity(settings);
    let mut run =
        if folder.is_occupied() { Run::resume(&folder, identity, &mut fit)? } else { Run::begin(&folder, identity)? };
    Ok(run.drive(&mut fit, observe)?)
}

/// Step and loss of every step in a run's events, in the order of the file.
pub fn losses(folder: &Path) -> Vec<(u64, f64)> {
    let events = Events::read(&folder.join("events.jsonl")).unwrap();
    let steps = events.iter().filter(|event| event["event"] == "step");
    steps.map(|event| (event["step"].as_u64().unwrap(), event["loss"].as_f64().unwrap())).collect()
}

/// The events of a kind.
pub fn events(folder: &Path, kind: &str) -> Vec<Value> {
    let events = Events::read(&folder.join("events.jsonl")).unwrap();
    events.into_iter().filter(|event| event["event"] == kind).collect()
}

/// Every file of a folder with its bytes.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (PathBuf::from(path.file_name().unwrap()), fs::read(&path).unwrap())).collect()
}

/// Names in a folder that begin with a dot: what is not finished, or was left behind.
pub fn unfinished(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}

/// Asserts that two runs came to the same models and losses, bit for bit, and left nothing unfinished.
pub fn assert_same_outcome(run: &Path, reference: &Path) {
    for model in ["model-last", "model-best"] {
        let (found, expected) = (files(&run.join(model)), files(&reference.join(model)));
        assert!(found.keys().eq(expected.keys()), "{model}: {:?}", found.keys());
        for (name, bytes) in &expected {
            assert!(found[name] == *bytes, "{model}/{} differs", name.display());
        }
    }
    let bits = |folder| losses(folder).into_iter().map(|(step, loss)| (step, loss.to_bits())).collect::<Vec<_>>();
    assert_eq!(bits(run), bits(reference));
    let without_time = |folder| {
        let mut evaluations = events(folder, "evaluation");
        for event in &mut evaluations {
            event["seconds"] = Value::Null;
            event["time"] = Value::Null;
        }
        evaluations
    };
    assert_eq!(without_time(run), without_time(reference));
    assert_eq!(unfinished(run), [""; 0]);
    assert_eq!(unfinished(&run.join("checkpoints")), [""; 0]);
}
