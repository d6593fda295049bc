//! `nomen update`: a model learns something new and keeps what it knew.

mod data;
mod gate;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use corpus::Format;
use model::base::BaseSpec;
use serde::Serialize;
use train::{End, RunConfig};

use self::{data::data, gate::Gate};
use super::train::next_steps;
use crate::{
    gating, input, output,
    progress::note,
    training::{self, Configuration, Ending, Method},
    versions,
};

/// Teach a model new texts and labels without losing what it knows
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// The model to update, as `nomen train` leaves it, or a registry (its live version)
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// New annotated text
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// New annotated text by which the best model is chosen
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// New annotated text on which the gate judges the updated model beside the old one
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Old annotated text on which it does so
    #[arg(long, value_name = "FILE")]
    old_test: Option<PathBuf>,
    /// What the gate lets pass [default: as `nomen gate`]
    #[arg(long, value_name = "gate.toml")]
    policy: Option<PathBuf>,
    /// Old training text, of which some is learned again [default: the texts that the model carries, if it does]
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many old texts are learned again [default: twice as many as there are new ones, at least 300]
    #[arg(long, value_name = "N")]
    replay_size: Option<usize>,
    /// Old annotated text that tells what must not be forgotten: F1 on it counts up to what the old model
    /// reaches there [default: a tenth of --replay, up to what the model reached on its own dev set]
    #[arg(long, value_name = "FILE")]
    old_dev: Option<PathBuf>,
    /// Text that nobody annotated, on which the old model teaches the new one
    #[arg(long, value_name = "FILE")]
    unlabelled: Option<PathBuf>,
    /// The labels that the new texts were searched for [default: those that occur in them]
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with = "complete")]
    labels: Option<Vec<String>>,
    /// The new texts were searched for all labels
    #[arg(long)]
    complete: bool,
    /// Give a label another name; two that get one name become one label; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,
    /// Leave out an old label; may be repeated
    #[arg(long, value_name = "LABEL")]
    retire: Vec<String>,
    /// How what is known is kept [default: partial,rehearsal,distillation,l2; where there are no old
    /// texts partial,distillation,l2,averaging,bias]
    #[arg(long, value_enum, value_delimiter = ',')]
    with: Vec<Method>,
    /// What logits are divided by when the old model teaches its probabilities
    #[arg(long, default_value_t = 1.0)]
    temperature: f32,
    /// Score from which on the old model's entities are taken as annotations [default: calibrated]
    #[arg(long)]
    confidence: Option<f32>,
    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// File of settings; what it leaves out is chosen from data and model
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

/// What is done where nobody says otherwise (docs/benchmarks.md, section 12). Averaging is left out: it cost the
/// new more than it gave the old.
const DEFAULT: [Method; 4] = [Method::Partial, Method::Rehearsal, Method::Distillation, Method::L2];
/// What is done without old texts, where the weights themselves are all that remembers; nothing that is learned is one of the old labels
/// then, so that they become rare.
const WITHOUT_OLD: [Method; 5] = [Method::Partial, Method::Distillation, Method::L2, Method::Averaging, Method::Bias];
/// Pull of the weights to where they were, where no old texts are learned again.
const L2_SP: f64 = 50.0;
/// The same beside old texts, which say themselves what has to stay: more of it cost the new.
const L2_SP_BESIDE_OLD: f64 = 6.0;

impl Arguments {
    /// How what the model of a folder knows is kept.
    fn methods(&self, model: &Path) -> Vec<Method> {
        match &self.with[..] {
            [] if self.has_old(model) => DEFAULT.to_vec(),
            [] => WITHOUT_OLD.to_vec(),
            given => given.to_vec(),
        }
    }

    /// Whether there are old texts to learn again.
    fn has_old(&self, model: &Path) -> bool {
        self.replay.is_some() || training::carries(model)
    }
}

const HELP: &str = "\
The head keeps the rows of the old labels and gets new ones for the new labels. What the new
texts were not searched for is not taught to be absent in them.
With --test or --old-test the updated model is judged beside the old one as by `nomen gate`:
gate.json and gate.html in DIR are the proof, and where it fails the update is refused.
With --set keep_texts=N the model carries N of its training texts for the next update.
Leaves in DIR what `nomen train` leaves there.
Exit codes: 0 done, 1 refused by the gate or diverged, 2 wrong usage or input, 130 or 143 stopped
by a signal.

Examples:
  nomen update --model runs/1/model-best --train new.jsonl --dev new-dev.jsonl --replay train.jsonl --old-dev dev.jsonl --out runs/2
  nomen update --model registry --train week.jsonl --dev week-dev.jsonl --old-test test.jsonl --test week-test.jsonl --out runs/2
  nomen update --model runs/1/model-best --train new.jsonl --labels DRUG --out runs/2
  nomen update --model runs/1/model-best --train new.jsonl --rename ORG=COMPANY --retire MISC --out runs/2";

/// What an update came to.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    judged: training::Judged,
    /// What the gate says of it, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<gating::Judged>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let begun = training::begun(&arguments.out, arguments.resume)?;
    let model = versions::folder(&arguments.model)?;
    let config = Configuration::new(begun.as_ref(), |config| wants(arguments, &model, config))?;
    let data = data(arguments, &model)?;
    let gate = Gate::new(arguments, &model, &data)?;
    match training::run(&arguments.out, begun, &config, &data)? {
        Ending::Asked(code) => {
            note(&format!(
                "stopped; the same command with --resume goes on with the run in {}",
                arguments.out.display()
            ));
            Ok(ExitCode::from(code))
        }
        Ending::Finished(run) => {
            if let Some(known) = &data.known {
                training::correct(&run, &model, known, &data)?;
            }
            let judged = run.judge(&data)?;
            let gate = judged.model.as_deref().map(|updated| gate.judge(updated, &run)).transpose()?.flatten();
            let refused = gate.as_ref().is_some_and(|gate| !gate.report.passed);
            if arguments.json {
                output::print_json(&Answer { judged, gate })?;
            } else {
                let proof = gate.map(|gate| gating::render(&gate.report)).unwrap_or_default();
                let next = judged.model.as_deref().filter(|_| !refused).map(next_steps).unwrap_or_default();
                output::print(&(judged.render() + &proof + &next))?;
            }
            if refused {
                note("refused: the old model stays the better one; gate.html in the run's folder shows what was lost");
            }
            Ok(if refused || run.end == End::Diverged { ExitCode::from(1) } else { ExitCode::SUCCESS })
        }
    }
}

/// Lays the options over a configuration, whose base is the model.
fn wants(arguments: &Arguments, model: &Path, mut config: RunConfig) -> anyhow::Result<RunConfig> {
    let methods = arguments.methods(model);
    if methods.contains(&Method::L2) {
        let is_beside_old = methods.contains(&Method::Rehearsal) && arguments.has_old(model);
        config.l2_sp = Some(if is_beside_old { L2_SP_BESIDE_OLD } else { L2_SP });
    }
    // Nothing has been measured of copies beside old texts.
    config.augment.copies.get_or_insert(0);
    let mut config = training::with_options(config, arguments.config.as_deref(), &arguments.set)?;
    config.base = Some(BaseSpec::Path(model.to_owned()));
    Ok(config)
}
