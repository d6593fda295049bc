//! `nomen train`: a base model fine-tuned on annotated text.

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;
use corpus::Format;
use model::base::BaseSpec;
use train::{
    End, RunConfig,
    tracking::{Destination, Environment},
};

use crate::{
    input, output,
    progress::note,
    project::{self, Tracking, given_or},
    training::{self, Configuration, CrossValidated, Data, Ending, Set},
};

/// Fine-tune a base model on annotated text
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Annotated text to learn from [default: the project's train, dev and test]
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// Annotated text by which the best model is chosen
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// Annotated text on which the best model is judged at the end
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    // Not a doc comment: rustdoc would read the brackets as links.
    #[arg(
        long,
        value_name = "SPEC",
        help = "Base model: minilm, hf:OWNER/NAME[@REVISION], path:DIR (a model or a registry) or pip:PACKAGE==VERSION [default: minilm]"
    )]
    base: Option<BaseSpec>,
    /// Folder of the run [default: the next one of the project]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// File of settings; what it leaves out is chosen from data and base
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, before those of the file; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Estimate the score without a dev set: so many models, each judged on the fold that it has not seen
    #[arg(long, value_name = "K", conflicts_with_all = ["dev", "test", "resume"])]
    folds: Option<usize>,
    // Not a doc comment: rustdoc would read the address as a link.
    #[arg(
        long,
        value_name = "TRACKER",
        help = "Show the run while it goes on: mlflow:URL, mlflow (address in MLFLOW_TRACKING_URI), tensorboard or none; \
                may be repeated"
    )]
    track: Vec<String>,
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
Leaves in DIR: model-best (the best on the dev set) and model-last, report.html, events.jsonl
(every step), run.toml (all settings: given as --config they repeat the run), checkpoints.
With augment.copies above 0 it learns from changed copies of the training texts too: augmented.jsonl
holds them, and without-augmentation is the same run without them, by which they are measured.
--folds keeps no model: it leaves cross-validation.json (scores of every fold, their mean and deviation,
and those of all texts) and predictions.jsonl (what the model that had not seen a text found in it).
A tracker never slows or stops a run; what a server misses, `nomen runs sync DIR` sends later.
Ctrl-C or SIGTERM saves a checkpoint and leaves; the same command with --resume goes on.
Exit codes: 0 done, 1 the run diverged, 2 wrong usage or input, 130 or 143 stopped by a signal.

Examples:
  nomen train --train train.jsonl --dev dev.jsonl --test test.jsonl --out runs/news
  nomen train --train train.conll --dev dev.conll --base hf:google-bert/bert-base-cased --out runs/bert
  nomen train --train train.jsonl --dev dev.jsonl --out runs/quick --set max_steps=100 --set seed=7
  nomen train --train train.jsonl --dev dev.jsonl --out runs/more --set augment.copies=3 --set augment.mentions=0.5
  nomen train --train all.jsonl --folds 5 --out runs/estimate
  nomen train --train train.jsonl --dev dev.jsonl --out runs/a --track mlflow:http://127.0.0.1:5000
  cd contracts && nomen train";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let set = |path: &PathBuf| -> anyhow::Result<Set> {
        let (documents, _) = input::annotated(path, arguments.format)?;
        Ok(Set { path: path.clone(), documents })
    };
    // What is wrong with the settings is told before anything is read, and nothing is written before all is read.
    let out = given_or(arguments.out.clone(), "--out", |project| project.run(arguments.resume))?;
    let files = Files::of(arguments)?;
    if let Some(folds) = arguments.folds {
        let config = wants(arguments, &files, RunConfig::load(None, &[] as &[&str])?)?;
        let answer = CrossValidated::of(&config, set(&files.train)?, folds, &out)?;
        if arguments.json {
            output::print_json(&answer)?;
        } else {
            output::print(&answer.render())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let tracking = files.tracking(&arguments.track)?;
    let begun = training::begun(&out, arguments.resume)?;
    let config = Configuration::new(begun.as_ref(), |config| wants(arguments, &files, config))?;
    let config = Configuration { tracking, ..config };
    let data = Data {
        train: set(&files.train)?,
        dev: files.dev.as_ref().map(set).transpose()?,
        test: files.test.as_ref().map(set).transpose()?,
        known: None,
    };
    if data.dev.is_none() {
        note("no --dev: the last model is taken for the best, and nothing tells when to stop");
    }
    match training::run(&out, begun, &config, &data)? {
        Ending::Asked(code) => {
            note(&format!("stopped; the same command with --resume goes on with the run in {}", out.display()));
            Ok(ExitCode::from(code))
        }
        Ending::Finished(run) => {
            let judged = run.judge(&data)?;
            if arguments.json {
                output::print_json(&judged)?;
            } else {
                let next = judged.model.as_deref().map(next_steps).unwrap_or_default();
                output::print(&(judged.render() + &next))?;
            }
            Ok(if run.end == End::Diverged { ExitCode::from(1) } else { ExitCode::SUCCESS })
        }
    }
}

/// The sets that a run takes: those that were named, or all of the project where none to learn from was.
struct Files {
    train: PathBuf,
    dev: Option<PathBuf>,
    test: Option<PathBuf>,
    /// The project's base.
    base: Option<String>,
    /// The project's trackers.
    tracking: Tracking,
}

impl Files {
    fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let Arguments { train, dev, test, .. } = arguments;
        let given = train.clone().map(|train| Self {
            train,
            dev: dev.clone(),
            test: test.clone(),
            base: None,
            tracking: Tracking::default(),
        });
        given_or(given, "--train", |project| {
            Ok(Self {
                train: project.set(|data| &data.train),
                dev: dev.clone().or_else(|| project.present(|data| &data.dev)),
                test: test.clone().or_else(|| project.present(|data| &data.test)),
                base: Some(project.base().to_owned()),
                tracking: project.tracking().clone(),
            })
        })
    }

    /// Where the run is shown: where the options say, or else the project.
    fn tracking(&self, given: &[String]) -> anyhow::Result<Vec<Destination>> {
        let environment = Environment::of_process();
        let parse = |given: &String| Destination::parse(given, self.tracking.experiment.as_deref(), &environment);
        if given.is_empty() {
            let of_project = self.tracking.to.iter().map(parse).collect::<Result<_, _>>();
            return of_project.with_context(|| format!("[tracking] in {}", project::FILE));
        }
        given.iter().map(|given| parse(given).context("--track")).collect()
    }
}

/// Lays the options over a configuration: `--base` before `--set` before `--config` before the project's base.
fn wants(arguments: &Arguments, files: &Files, mut config: RunConfig) -> anyhow::Result<RunConfig> {
    if let (None, Some(base)) = (&config.base, &files.base) {
        config.base = Some(base.parse().with_context(|| format!("the base of {}", project::FILE))?);
    }
    let mut config = training::with_options(config, arguments.config.as_deref(), &arguments.set)?;
    if let Some(base) = &arguments.base {
        config.base = Some(base.clone());
    }
    Ok(config)
}

/// What can be done with a model, as commands of this very program.
pub fn next_steps(model: &Path) -> String {
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
