//! `nomen evaluate`: how good a model is on annotated text.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::Args;
use corpus::Format;
use evaluate::{Counterfactual, Report, Settings, Slices};
use schema::Label;
use serde::Serialize;

use crate::{
    counterfactual, input, judgement::Judgement, output, progress::note, project::given_or, recognizer::ModelArguments,
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
    /// Score the texts by what this field of their metadata says; may be given several times
    #[arg(long, value_name = "meta.KEY", value_parser = metadata_key)]
    slice: Vec<String>,
    /// Put other names in the place of the entities, and say how their recall changes
    #[arg(long, value_name = "FILE.toml")]
    counterfactual: Option<PathBuf>,
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

--slice lists the worst value first, and the texts without the field as a value of their own.
The file of --counterfactual lists groups of surfaces for a label:
  [groups.PERSON]
  danish = [\"Søren Holm\", \"Mette Friis\"]
  english = [\"John Smith\", \"Emily Brown\"]
Each group in turn takes the place of every entity of the label; the text around stays.

Examples:
  nomen evaluate --model runs/news/model-best --data test.jsonl
  nomen evaluate --model runs/news/model-best --data test.conll --labels PERSON,PLACE
  nomen evaluate --model runs/news/model-best --data test.jsonl --json | jq .ents_f
  nomen evaluate --model runs/news/model-best --data test.jsonl --slice meta.source --slice meta.year
  nomen evaluate --model runs/news/model-best --data test.jsonl --counterfactual names.toml";

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    model: String,
    data: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slices: Vec<Slices>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counterfactual: Vec<Counterfactual>,
}

/// The key in `meta.KEY`.
fn metadata_key(field: &str) -> Result<String, String> {
    match field.strip_prefix("meta.") {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err("expected `meta.` and the name of a metadata field, such as meta.source".to_owned()),
    }
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let groups = arguments.counterfactual.as_deref().map(counterfactual::read).transpose()?;
    let data = given_or(arguments.data.clone(), "--data", |project| Ok(project.set(|data| &data.test)))?;
    let (documents, found) = input::annotated(&data, arguments.format)?;
    let recognizer = arguments.model.open()?;
    for said in split_record::of_scored(&data, &documents) {
        note(&format!("warning: {said}"));
    }
    if !arguments.seen_too {
        let way_out = ", or score them too with --seen-too";
        seen::refuse(&recognizer.bundle().trained_on, &documents, &data, "the model", way_out)?;
    }
    let known = || {
        let of_model = recognizer.bundle().codec.tag_set().labels().iter();
        of_model.chain(found.entities.keys()).cloned().collect()
    };
    let labels = arguments.labels.as_deref().map(|names| asked(names, &known())).transpose()?;

    let settings = Settings { labels, ..Settings::default() };
    let judgement = Judgement::of(&recognizer, &documents)?;
    let report = judgement.report(&settings);
    let slices: Vec<Slices> = arguments.slice.iter().map(|key| judgement.slices(key, &settings)).collect();
    for slices in slices.iter().filter(|slices| slices.is_unknown()) {
        note(&format!("{}: no text has the field meta.{}", data.display(), slices.key));
    }
    let counterfactual = match &groups {
        Some(groups) => counterfactual::judge(&recognizer, &judgement.pairs(), groups, &settings)?,
        None => Vec::new(),
    };
    if arguments.json {
        let [model, data] = [&arguments.model.model, &data].map(|path| path.display().to_string());
        output::print_json(&Answer { report: &report, model, data, slices, counterfactual })?;
    } else {
        let slices = slices.iter().map(scores::by_slice).collect::<String>();
        output::print(&format!("{}{slices}{}", scores::render(&report), counterfactual::render(&counterfactual)))?;
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
