//! `nomen evaluate`: how good a model is on annotated text.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::Format;
use evaluate::{Pair, Report, Settings};
use model::{Input, Recognizer, text::Reason};
use schema::{Document, Entity, Label};
use serde::Serialize;

use crate::{
    input, output,
    progress::{Progress, note},
    recognizer::ModelArguments,
    scores,
};

/// Texts between two moves of the progress bar.
const SHARE: usize = 256;

/// Score a model on annotated text
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Annotated text: jsonl, conll or spacy-list
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Judge these labels only: a file that never annotated a label says nothing about it
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// Format of the file; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Print JSON: ents_p, ents_r, ents_f, ents_per_type and all the rest
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
An entity is right when its span and its label are. Beside that rule, the table shows how
many spans are right whatever their label, and how many entities overlap one of their label.
The interval is a bootstrap over texts. Entities that no token boundaries of the model can
express are listed as unreachable; they count as missed.

Examples:
  nomen evaluate --model runs/news/model-best --data test.jsonl
  nomen evaluate --model runs/news/model-best --data test.conll --labels PERSON,PLACE
  nomen evaluate --model runs/news/model-best --data test.jsonl --json | jq .ents_f";

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    model: String,
    data: String,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (documents, found) = input::annotated(&arguments.data, arguments.format)?;
    let recognizer = arguments.model.open()?;
    let known = || {
        let of_model = recognizer.bundle().codec.tag_set().labels().iter();
        of_model.chain(found.entities.keys()).cloned().collect()
    };
    let labels = arguments.labels.as_deref().map(|names| asked(names, &known())).transpose()?;

    let predicted = recognize(&recognizer, &documents)?;
    let unreachable = unreachable(&recognizer, &documents)?;
    let pairs: Vec<Pair<'_>> =
        documents.iter().zip(&predicted).map(|(document, predicted)| Pair { document, predicted }).collect();
    let report = Report::new(&pairs, &unreachable, &Settings { labels, ..Settings::default() });
    if arguments.json {
        let [model, data] = [&arguments.model.model, &arguments.data].map(|path| path.display().to_string());
        output::print_json(&Answer { report: &report, model, data })?;
    } else {
        output::print(&scores::render(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The labels of these names, each known to the model or to the data.
fn asked(names: &[String], known: &BTreeSet<Label>) -> anyhow::Result<Vec<Label>> {
    let mut labels = Vec::with_capacity(names.len());
    for name in names.iter().map(|name| name.trim()) {
        let Some(label) = known.get(name) else {
            let known: Vec<&str> = known.iter().map(Label::as_str).collect();
            bail!("--labels: neither the model nor the data knows {name:?}; known are {}", known.join(", "));
        };
        if !labels.contains(label) {
            labels.push(label.clone());
        }
    }
    Ok(labels)
}

/// The entities of every document, with its known words where it has any.
fn recognize(recognizer: &Recognizer, documents: &[Document]) -> anyhow::Result<Vec<Vec<Entity>>> {
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
