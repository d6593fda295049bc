//! `nomen quantize`: a model with its weights in 8 bits, and what that costs.

use std::{fs, num::NonZeroUsize, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::Format;
use engine::Precision;
use model::{Bundle, Workers, weights::QUANTIZED_FILE};
use schema::Document;
use serde::Serialize;

use crate::{input, judgement, output, versions};

/// Store a model in 8 bits: a quarter of the size, faster, a little less exact
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Model that `nomen train` left, a transformers token classifier, or a registry
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Folder for the model in 8 bits
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Annotated text to score both models on: jsonl, conll or spacy-list
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Format of the file; detected if not given
    #[arg(long, value_parser = input::format_parser(), requires = "data")]
    format: Option<Format>,
    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Print sizes and scores as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Every weight matrix is stored in 8 bits with one scale a row. Nomen's commands open the new
model as any other and run it in int8, unless --precision says otherwise; transformers does
not open it, so keep the old one. With --data both are scored, so that you see the cost.

Examples:
  nomen quantize --model runs/news/model-best --out runs/news/model-int8 --data test.jsonl
  nomen tag --model runs/news/model-int8 letters.txt";

#[derive(Serialize)]
struct Answer {
    model: String,
    out: String,
    /// Bytes of the weights before and after.
    bytes: [u64; 2],
    /// F1 before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    ents_f: Option<[f64; 2]>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { model, out, .. } = arguments;
    let model = &versions::folder(model)?;
    if fs::canonicalize(model).is_ok_and(|model| fs::canonicalize(out).is_ok_and(|out| model == out)) {
        bail!("--out {} is the model itself; name another folder, so that the exact weights stay", out.display());
    }
    let documents = match &arguments.data {
        Some(data) => Some(input::annotated(data, arguments.format)?.0),
        None => None,
    };
    let bundle = Bundle::open(model)?;
    bundle.save_as(out, Precision::Int8)?;
    let written = out.join(QUANTIZED_FILE);
    let after = fs::metadata(&written).with_context(|| written.display().to_string())?.len();
    let bytes = [(bundle.classifier.parameters().count() * size_of::<f32>()) as u64, after];
    let ents_f = match &documents {
        Some(documents) => Some([arguments.score(bundle, documents)?, arguments.score(Bundle::open(out)?, documents)?]),
        None => None,
    };

    let [model, out] = [model, out].map(|path| path.display().to_string());
    if arguments.json {
        output::print_json(&Answer { model, out, bytes, ents_f })?;
        return Ok(ExitCode::SUCCESS);
    }
    let [before, after] = bytes.map(|bytes| bytes as f64 / 1e6);
    output::print(&format!("{out}: {after:.1} MB of weights, {before:.1} MB in f32\n"))?;
    if let Some([before, after]) = ents_f {
        let change = after - before;
        output::print(&format!("F1 {after:.4} in int8, {before:.4} before: {change:+.4}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// F1 of a model in the number format of its weights.
    fn score(&self, bundle: Bundle, documents: &[Document]) -> anyhow::Result<f64> {
        let workers = self.threads.map_or_else(Workers::all, Workers::new).with_precision(bundle.classifier.stored());
        Ok(judgement::report(&bundle.into_recognizer(workers), documents, None)?.scores.micro().f1())
    }
}
