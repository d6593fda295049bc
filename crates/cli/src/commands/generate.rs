//! `nomen generate`: annotated texts that a language model writes.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use annotate::{
    generate::{Author, AuthorOptions, Balance, Known, Refused, paraphrase},
    suggest::llm::{Desk, Mode, Spent},
};
use anyhow::{anyhow, bail};
use clap::Args;
use corpus::{Format, WriteOptions, Writer, duplicates::Similarity};
use schema::{Document, Schema};
use serde::Serialize;

use crate::{
    input, output,
    progress::{Progress, note},
    signals::Signals,
    suggesting::{LlmArguments, guidelines, schema, told_spent},
};

/// Have a language model write annotated texts, or labelled ones in other words
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    #[command(flatten)]
    llm: LlmArguments,
    /// File for the texts, Nomen JSONL; standard output if not given
    #[arg(long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// How many texts to write
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "paraphrase")]
    count: usize,
    /// Labels and their definitions [default: those of the project]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Text that says how to annotate, beside the definitions
    #[arg(long, value_name = "FILE")]
    guidelines: Option<PathBuf>,
    /// Texts in whose manner to write, annotated or not
    #[arg(long, value_name = "FILE", conflicts_with = "paraphrase")]
    like: Vec<PathBuf>,
    /// Texts that are not to be written again, such as those to test on
    #[arg(long, value_name = "FILE")]
    unlike: Vec<PathBuf>,
    /// How often a label is written, as a multiple of the others; several by commas
    #[arg(long, value_name = "LABEL=WEIGHT,...", value_delimiter = ',', value_parser = weight, conflicts_with = "paraphrase")]
    balance: Vec<(String, f64)>,
    /// Share of texts without entities
    #[arg(long, value_name = "0..1", default_value_t = 0.1, conflicts_with = "paraphrase")]
    without: f64,
    /// How many texts one question asks for
    #[arg(long, value_name = "N", default_value_t = 8, conflicts_with = "paraphrase")]
    per_question: usize,
    /// Most times that one name is written
    #[arg(long, value_name = "N", default_value_t = 5, conflicts_with = "paraphrase")]
    repeat: usize,
    /// Write these annotated texts in other words instead; entities stay letter for letter
    #[arg(long, value_name = "FILE")]
    paraphrase: Option<PathBuf>,
    /// How many times each text is written in other words
    #[arg(long, value_name = "N", default_value_t = 2, requires = "paraphrase")]
    copies: usize,
    /// Word overlap from which on a text repeats another
    #[arg(long, value_name = "0..1", default_value_t = Similarity::default())]
    similarity: Similarity,
    /// How freely words are drawn
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    temperature: f64,
    /// Print what was written and refused as JSON
    #[arg(long, requires = "out")]
    json: bool,
}

const HELP: &str = "\
A text counts when each of its entities stands in it letter for letter at a place that is beyond doubt, when it repeats no text of --like, --unlike or its own kind, when no name in it
is worn out, and when the checks of `nomen check` find no fault with it. What does not count is told by reason and never mended. Nobody has looked at the texts: their
metadata says `generated`, and they should be a part of what is learned from and never of what is tested on.

A run that was stopped goes on when the same command is given again. Exits with 1 if there are fewer texts than were asked for.

Examples:
  nomen generate --llm http://127.0.0.1:8000/v1 --model qwen3-8b --count 200 --like train.jsonl --unlike test.jsonl --out written.jsonl
  nomen generate --llm http://127.0.0.1:8000/v1 --model qwen3-8b --schema schema.toml --balance DRUG=3 --out written.jsonl
  nomen generate --llm http://127.0.0.1:8000/v1 --model qwen3-8b --paraphrase train.jsonl --out reworded.jsonl";

#[derive(Serialize)]
struct Answer<'a> {
    out: Option<String>,
    texts: usize,
    entities: std::collections::BTreeMap<String, usize>,
    refused: &'a Refused,
    /// Answers that were cut off.
    truncated: usize,
    /// Answers that could not be read.
    broken: usize,
    ended: Option<String>,
    retries: u64,
    #[serde(flatten)]
    spent: Spent,
}

/// What was written, in either way.
struct Done {
    documents: Vec<Document>,
    refused: Refused,
    truncated: usize,
    broken: usize,
    ended: Option<String>,
    /// Whether there are as many as there could be.
    whole: bool,
}

fn weight(text: &str) -> Result<(String, f64), String> {
    let (label, weight) = text.rsplit_once('=').ok_or("expected LABEL=WEIGHT, such as DRUG=2")?;
    let weight = weight.parse().map_err(|_| format!("`{weight}` is no number"))?;
    Ok((label.to_owned(), weight))
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let llm = arguments.llm.open(arguments.out.as_deref())?;
    let llm = llm.ok_or_else(|| anyhow!("nobody is asked; give --llm URL with --model NAME"))?;
    if !(0.0..=1.0).contains(&arguments.without) {
        bail!("--without {}: give a number between 0 and 1", arguments.without);
    }
    if arguments.llm.estimate {
        bail!("what is to be written cannot be known before; bound it with --max-tokens-total or --max-cost");
    }
    let read = |files: &[PathBuf]| -> anyhow::Result<Vec<Document>> {
        let read = files.iter().map(|file| anyhow::Ok(input::documents(file, None)?.0));
        Ok(read.collect::<anyhow::Result<Vec<_>>>()?.concat())
    };
    let (like, unlike) = (read(&arguments.like)?, read(&arguments.unlike)?);

    let signals = Signals::listen()?;
    let leave = || signals.leave().is_some();
    let desk = llm.desk(Mode::Online, &leave);
    let options = AuthorOptions {
        model: llm.model.clone(),
        count: arguments.count,
        per_question: arguments.per_question.max(1),
        without: arguments.without,
        like: 3,
        temperature: arguments.temperature,
        max_tokens: arguments.llm.max_answer_tokens.get(),
        threads: arguments.llm.concurrency.get(),
        extra: llm.extra.clone(),
    };
    let done = match &arguments.paraphrase {
        Some(path) => reworded(arguments, path, &unlike, &desk, &options)?,
        None => written(arguments, &like, &unlike, &desk, options)?,
    };
    if let Some(code) = signals.leave() {
        note(&format!("stopped; {}", llm.goes_on()));
        return Ok(ExitCode::from(code));
    }
    if let Some(why) = desk.halted() {
        bail!("{why}\n  {}", llm.goes_on());
    }
    save(arguments.out.as_deref(), &done.documents)?;
    answer(arguments, &desk, &done)?;
    Ok(if done.whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn written(
    arguments: &Arguments,
    like: &[Document],
    unlike: &[Document],
    desk: &Desk<'_>,
    options: AuthorOptions,
) -> anyhow::Result<Done> {
    let (schema, guidelines) = (schema(arguments.schema.as_deref())?, guidelines(arguments.guidelines.as_deref())?);
    let balance = Balance::new(&schema, &arguments.balance)?;
    let mut known = Known::new(&[like, unlike].concat(), arguments.similarity, arguments.repeat.max(1));
    let progress = Mutex::new(Progress::new("writing", arguments.count as u64, "texts"));
    let author = Author::new(desk, &schema, &guidelines, balance, like, options);
    let written = author.write(&mut known, |count| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.set(count as u64, || format!("{count} of {} texts", arguments.count));
    });
    let whole = written.documents.len() >= arguments.count;
    let annotate::generate::Written { documents, refused, truncated, broken, ended } = written;
    Ok(Done { documents, refused, truncated, broken, ended, whole })
}

fn reworded(
    arguments: &Arguments,
    path: &Path,
    unlike: &[Document],
    desk: &Desk<'_>,
    options: &AuthorOptions,
) -> anyhow::Result<Done> {
    let (documents, _) = input::annotated(path, None)?;
    let labels = documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone());
    let schema = Schema::of_labels(labels);
    // Entities stay as they are, so no name wears out.
    let mut known = Known::new(&[documents.as_slice(), unlike].concat(), arguments.similarity, usize::MAX);
    let progress = Mutex::new(Progress::new("rewording", documents.len() as u64, "texts"));
    let told = |count: usize| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.set(count as u64, || format!("{count} of {} texts", documents.len()));
    };
    let done = paraphrase(desk, &documents, arguments.copies.max(1), &schema, &mut known, options, told);
    let ended = done.problem.map(|problem| format!("{} texts got no answer; the first: {problem}", done.unanswered));
    let whole = done.unanswered == 0 && !done.documents.is_empty();
    let annotate::generate::Paraphrased { documents, refused, truncated, broken, .. } = done;
    Ok(Done { documents, refused, truncated, broken, ended, whole })
}

fn save(out: Option<&Path>, documents: &[Document]) -> anyhow::Result<()> {
    if let Some(out) = out {
        let mut writer = Writer::create(out, Format::Jsonl, WriteOptions::default())?;
        documents.iter().try_for_each(|document| writer.write(document))?;
        writer.save()?.to_string().lines().for_each(note);
    } else {
        let mut writer = Writer::new(io::stdout().lock(), "standard output", Format::Jsonl, WriteOptions::default());
        documents.iter().try_for_each(|document| writer.write(document))?;
        let (_, losses) = writer.finish()?;
        losses.to_string().lines().for_each(note);
    }
    Ok(())
}

fn answer(arguments: &Arguments, desk: &Desk<'_>, done: &Done) -> anyhow::Result<()> {
    let mut entities = std::collections::BTreeMap::new();
    for entity in done.documents.iter().flat_map(Document::entities) {
        *entities.entry(entity.label.to_string()).or_insert(0) += 1;
    }
    if arguments.json {
        return output::print_json(&Answer {
            out: arguments.out.as_ref().map(|out| out.display().to_string()),
            texts: done.documents.len(),
            entities,
            refused: &done.refused,
            truncated: done.truncated,
            broken: done.broken,
            ended: done.ended.clone(),
            retries: desk.retries(),
            spent: desk.spent(),
        });
    }
    let labels: Vec<String> = entities.iter().map(|(label, count)| format!("{count} {label}")).collect();
    let labels = if labels.is_empty() { "no entity".to_owned() } else { labels.join(", ") };
    note(&format!("{} texts with {labels}", done.documents.len()));
    if done.refused.total() > 0 {
        note(&format!("{} texts do not count:", done.refused.total()));
    }
    for (fault, count) in &done.refused.0 {
        note(&format!("  {count} {fault}"));
    }
    if done.truncated + done.broken > 0 {
        note(&format!("answers without use: {} cut off, {} not readable", done.truncated, done.broken));
    }
    note(&told_spent(&desk.spent(), desk.retries()));
    if let Some(why) = &done.ended {
        note(&format!("ended early: {why}"));
    }
    Ok(())
}
