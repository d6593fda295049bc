//! `nomen evaluate`: how good a model is on annotated text.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::Args;
use corpus::Format;
use evaluate::Report;
use schema::Label;
use serde::Serialize;

use crate::{
    input, judgement, output,
    progress::note,
    project::given_or,
    recognizer::ModelArguments,
    scores, seen, split_record,
};

/// Score a model on annotated text
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Annotated text [default: the project's test set]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Judge these labels only: a file that never annotated a label says nothing about it
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    labels: Option<Vec<String>>,
    /// Score texts, too, that the model was trained on
    #[arg(long)]
    seen_too: bool,
    /// Format of the file; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Print the report as JSON, with the keys that spaCy has
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
An entity is right when its span and its label are. Beside that rule, the table shows how
many spans are right whatever their label, and how many entities overlap one of their label.
The interval is a bootstrap over texts. Entities that no token boundaries of the model can
express are listed as unreachable; they count as missed.
Data of which the model has learned texts is refused: a score on them says nothing about new
text. --seen-too scores it nevertheless.
--json prints ents_p, ents_r, ents_f (fractions), ents_per_type and all the rest.

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
    let data = given_or(arguments.data.clone(), "--data", |project| Ok(project.set(|data| &data.test)))?;
    let (documents, found) = input::annotated(&data, arguments.format)?;
    let recognizer = arguments.model.open()?;
    for said in split_record::of_scored(&data, &documents) {
        note(&format!("warning: {said}"));
    }
    if !arguments.seen_too {
        seen::refuse(&recognizer.bundle().trained_on, &documents, &data)?;
    }
    let known = || {
        let of_model = recognizer.bundle().codec.tag_set().labels().iter();
        of_model.chain(found.entities.keys()).cloned().collect()
    };
    let labels = arguments.labels.as_deref().map(|names| asked(names, &known())).transpose()?;

    let report = judgement::report(&recognizer, &documents, labels)?;
    if arguments.json {
        let [model, data] = [&arguments.model.model, &data].map(|path| path.display().to_string());
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
