//! `nomen quickstart`: a first model from nothing, on the example that the program carries.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::Args;
use model::{Bundle, Input, Workers};
use schema::Document;
use train::{End, RunConfig};

use super::{tag, train as command};
use crate::{
    output,
    progress::note,
    training::{self, Configuration, Data, Ending, Set},
};

/// Train, score and try a first model on a bundled example
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Folder for the example's data and the model
    #[arg(long, value_name = "DIR", default_value = "nomen-quickstart")]
    out: PathBuf,
}

const HELP: &str = "\
Fetches the base model minilm (90 MB, once), fine-tunes it on 600 technical sentences with
seven labels, scores it on 180 others and tags a sentence. Takes a few minutes on two cores.
Started again it goes on with an interrupted run, or shows the result of a finished one.

Example:
  nomen quickstart --out my-first-model";

/// The example's files.
const FILES: [(&str, &str); 3] = [
    ("train.jsonl", include_str!("../../../../examples/tech/train.jsonl")),
    ("dev.jsonl", include_str!("../../../../examples/tech/dev.jsonl")),
    ("test.jsonl", include_str!("../../../../examples/tech/test.jsonl")),
];

/// Sentences that no file of the example has.
const SENTENCES: [&str; 2] = [
    "We rewrote the parser in Rust and now serve it over gRPC from a Raspberry Pi 5.",
    "The python that escaped from the zoo was caught near the bus station.",
];

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let clock = Instant::now();
    let out = &arguments.out;
    refuse_foreign(out)?;
    let begun = training::begun(out, out.join("run.lock").exists())?;
    let config = Configuration::new(begun.as_ref(), |config| Ok(short(config)))?;
    let [train, dev, test] = FILES.map(|(name, text)| write(out, name, text));
    let data = Data { train: train?, dev: Some(dev?), test: Some(test?), known: None };
    note(&format!("the example's data is in {}", out.join("data").display()));
    match training::run(out, begun, &config, &data)? {
        Ending::Asked(code) => {
            note("stopped; the same command goes on with the run");
            Ok(ExitCode::from(code))
        }
        Ending::Finished(run) => {
            output::print(&run.judge(&data)?.render())?;
            if run.end == End::Diverged {
                return Ok(ExitCode::from(1));
            }
            output::print(&tagged(&training::best(out))?)?;
            output::print(&next_steps(out, &training::best(out)))?;
            note(&format!("done in {:.0} s", clock.elapsed().as_secs_f64()));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Fewer epochs and evaluations than `train` would choose: a first try is over within four minutes on an old
/// machine, too, and its test F1 is about the same (docs/benchmarks.md, section 4).
fn short(config: RunConfig) -> RunConfig {
    RunConfig { num_train_epochs: Some(7), eval_every: Some(0), ..config }
}

/// Keeps a folder that is someone's own from being filled with an example.
fn refuse_foreign(out: &Path) -> anyhow::Result<()> {
    let empty = fs::read_dir(out).map_or(true, |mut entries| entries.next().is_none());
    if empty || out.join("data").join(FILES[0].0).exists() {
        return Ok(());
    }
    bail!("{}: the folder holds something else; name another one with --out", out.display());
}

/// Puts a file of the example where its user can see it.
fn write(out: &Path, name: &str, text: &str) -> anyhow::Result<Set> {
    let path = out.join("data").join(name);
    let failed = || format!("{} cannot be written", path.display());
    fs::create_dir_all(out.join("data")).and_then(|()| fs::write(&path, text)).with_context(failed)?;
    let (documents, _) = corpus::read_all(&path, None)?;
    Ok(Set { path, documents })
}

fn tagged(model: &Path) -> anyhow::Result<String> {
    let recognizer = Bundle::open(model)?.into_recognizer(Workers::all());
    let documents = SENTENCES.map(Document::new);
    let entities = recognizer.inputs(&documents.each_ref().map(Input::from))?;
    let lines = documents.iter().zip(&entities).map(|(document, entities)| tag::marked(document.text(), entities));
    Ok(format!("\nnew sentences, tagged:\n  {}", lines.collect::<Vec<_>>().join("  ")))
}

fn next_steps(out: &Path, model: &Path) -> String {
    let (program, data, model) = (command::program(), out.join("data"), model.display());
    format!(
        "\nnext:\n  \
         echo 'Your own text.' | {program} tag --model {model}\n  \
         {program} evaluate --model {model} --data {}\n  \
         {program} train --train YOURS.jsonl --dev YOURS-DEV.jsonl --out my-model\n\
         your files look like {} (or CoNLL, or a spaCy list)\n",
        data.join(FILES[2].0).display(),
        data.join(FILES[0].0).display()
    )
}
