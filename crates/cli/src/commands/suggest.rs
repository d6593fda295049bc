//! `nomen suggest`: a first pass over texts by a language model, by models and by lists of names.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use annotate::queue::Order;
use annotate::suggest::{
    OriginKind, Tally,
    lexicon::Case,
    llm::{Desk, Estimate, Mode, Outcome, Pass, PassOptions, Shots, State, batch, in_parallel},
    weigh::Accuracy,
};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use corpus::Format;
use schema::{Document, Schema};
use serde_json::json;

use crate::{
    input, output,
    progress::{Progress, note},
    project::Project,
    recognizer::RunArguments,
    signals::Signals,
    suggesting::{
        Llm, LlmArguments, guidelines, order, schema,
        sources::{self, Source},
        summary::{OfLlm, OfSource, Summary},
        texts::{self, Texts},
        told_spent,
    },
};

/// Have a language model, a model or a list of names make a first pass over texts
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Files with texts
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Format of the files; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// File for the texts with their suggestions, Nomen JSONL; standard output if not given
    #[arg(long, value_name = "OUT")]
    out: Option<PathBuf>,
    #[command(flatten)]
    llm: LlmArguments,
    #[command(flatten)]
    asking: AskingArguments,
    #[command(flatten)]
    batch: BatchArguments,
    /// Model that `nomen train` left, a transformers token classifier, or a registry; may be given several times
    #[arg(long, value_name = "DIR", help_heading = "Models")]
    bundle: Vec<PathBuf>,
    #[command(flatten)]
    run: RunArguments,
    /// List of names: a name, a tab and its label a line, or .csv, or .jsonl; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Lists of names")]
    lexicon: Vec<PathBuf>,
    /// Which letters of a list have to be as they are written
    #[arg(long, value_enum, value_name = "CASE", default_value = "smart", help_heading = "Lists of names")]
    case: LetterCase,
    /// Find names of a list with a letter more, less or other, too (two from 10 letters on, none below 5)
    #[arg(long, help_heading = "Lists of names")]
    fuzzy: bool,
    /// How sure a source has to be, where it says how sure it is
    #[arg(long, value_name = "0..1", default_value_t = 0.5)]
    threshold: f32,
    /// Write what is not annotated first, in the order in which annotating it teaches most: random, uncertainty (of scores, or
    /// of sources that disagree), diversity, or mixed, which is both
    #[arg(long, value_name = "ORDER", help_heading = "Order")]
    order: Option<Order>,
    /// What decides between equals of an order
    #[arg(long, value_name = "N", default_value_t = 0, requires = "order", help_heading = "Order")]
    seed: u64,
    /// Print what was suggested as JSON
    #[arg(long, requires = "out")]
    json: bool,
}

/// How a language model is asked.
#[derive(Args)]
struct AskingArguments {
    /// Labels and their definitions [default: those of the project]
    #[arg(long, value_name = "FILE", help_heading = ASKING)]
    schema: Option<PathBuf>,
    /// Text that says how to annotate, beside the definitions
    #[arg(long, value_name = "FILE", help_heading = ASKING)]
    guidelines: Option<PathBuf>,
    /// Annotated file; of its texts the most similar are shown as examples [default: what the project trains on]
    #[arg(long, value_name = "FILE", help_heading = ASKING)]
    examples: Option<PathBuf>,
    /// How many examples are shown with each text
    #[arg(long, value_name = "N", default_value_t = 4, help_heading = ASKING)]
    shots: usize,
    /// Ask so many times; the score of a suggestion is the share of answers that made it
    #[arg(long, value_name = "N", default_value = "1", help_heading = ASKING)]
    samples: NonZeroU32,
    /// Ask a second time which suggestions hold
    #[arg(long, help_heading = ASKING)]
    verify: bool,
    /// How freely words are drawn [default: 0, or 0.7 with several samples]
    #[arg(long, value_name = "NUMBER", help_heading = ASKING)]
    temperature: Option<f64>,
    /// Longest part of a text in one question, in bytes; longer texts are asked about in parts
    #[arg(long, value_name = "BYTES", default_value_t = 6000, help_heading = ASKING)]
    longest: usize,
}

/// Questions and answers by files.
#[derive(Args)]
struct BatchArguments {
    /// Ask nothing; write the questions that are not answered yet as lines for a batch interface
    #[arg(long, value_name = "FILE", requires = "llm", help_heading = "Batch interface")]
    batch_out: Option<PathBuf>,
    /// Ask nothing; take the answers from the files that a batch interface left
    #[arg(long, value_name = "FILE", requires = "llm", help_heading = "Batch interface")]
    batch_in: Vec<PathBuf>,
}

const ASKING: &str = "Asking";

const HELP: &str = "\
Every source is asked for every text. What a language model quotes is looked up in the text, and each suggestion says how it was found: exact, folded (case, white space, forms of one
letter), fuzzy (a few letters differ), ambiguous (several places would do) or ungrounded (nowhere). All of them stand in `meta.suggestions`. Those that are sure and do not overlap are
entities, too; texts that are annotated completely keep theirs. Several sources, also of earlier runs, are weighed by an estimate of how good each is at each label.

A run that was stopped goes on when the same command is given again: answers are kept and nothing is asked twice. Exits with 1 if a text got no answer.
The key of a server stands in NOMEN_LLM_KEY, OPENAI_API_KEY or the file of --key-file, and is shown nowhere.

Examples:
  nomen suggest texts.jsonl --lexicon drugs.tsv --fuzzy --out suggested.jsonl
  nomen suggest texts.jsonl --llm http://127.0.0.1:8000/v1 --model qwen3-8b --examples train.jsonl --out suggested.jsonl
  nomen suggest texts.jsonl --llm https://api.openai.com/v1 --model gpt-4.1-mini --estimate --price-in 0.4 --price-out 1.6
  nomen suggest suggested.jsonl --bundle runs/run-1/model-best --lexicon drugs.tsv --out weighed.jsonl
  nomen suggest texts.jsonl --bundle runs/run-1/model-best --order mixed --out to-annotate.jsonl";

#[derive(Clone, Copy, ValueEnum)]
enum LetterCase {
    /// None, but names of capitals alone are found as written
    Smart,
    /// All
    Exact,
    /// None
    Folded,
}

impl From<LetterCase> for Case {
    fn from(case: LetterCase) -> Self {
        match case {
            LetterCase::Smart => Self::Smart,
            LetterCase::Exact => Self::Exact,
            LetterCase::Folded => Self::Folded,
        }
    }
}

/// What the language model said.
struct Asked {
    source: Source,
    outcomes: Vec<Outcome>,
    told: OfLlm,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.llm.llm.is_none() && arguments.bundle.is_empty() && arguments.lexicon.is_empty() {
        bail!("nobody is asked; give --llm URL with --model NAME, --bundle DIR or --lexicon FILE");
    }
    if !(0.0..=1.0).contains(&arguments.threshold) {
        bail!("--threshold {}: give a number between 0 and 1", arguments.threshold);
    }
    let texts = Texts::read(&arguments.files, arguments.format)?;
    let mut found = sources::of_earlier_runs(&texts.documents, |at| texts.place(at))?;
    let mut fresh = Vec::new();
    for path in &arguments.lexicon {
        fresh.push(sources::of_lexicon(path, arguments.case.into(), arguments.fuzzy, &texts.documents)?);
    }
    for folder in &arguments.bundle {
        fresh.push(sources::of_bundle(folder, &arguments.run, &texts.documents)?);
    }
    let mut asked = None;
    if let Some(llm) = arguments.llm.open(arguments.out.as_deref())? {
        match ask(arguments, &llm, &texts)? {
            Ended::Early(code) => return Ok(code),
            Ended::Done(done) => asked = Some(*done),
        }
    }
    let (mut outcomes, mut of_llm) = (Vec::new(), None);
    if let Some(Asked { source, outcomes: all, told }) = asked {
        fresh.push(texts::keeping(source, &all, &found));
        (outcomes, of_llm) = (all, Some(told));
    }
    // What a source says anew takes the place of what it said before.
    for new in fresh {
        match found.iter_mut().find(|old| sources::is_same(&old.origin, &new.origin)) {
            Some(old) => *old = new,
            None => found.push(new),
        }
    }
    let mut accuracy = vec![Vec::new(); found.len()];
    if let Some((combined, by_source)) = sources::weighed(&texts.documents, &found, arguments.threshold) {
        accuracy = by_source;
        accuracy.push(Vec::new());
        found.push(combined);
    }
    let llm = found.iter().find(|source| source.origin.kind == OriginKind::Llm && !outcomes.is_empty());
    let llm = llm.map(|source| source.origin.to_string());
    let documents = texts::attached(&texts, &found, &outcomes, llm.as_deref(), arguments.threshold)?;
    let documents = match arguments.order {
        Some(order) => order::ordered(documents, &found, order, arguments.seed),
        None => documents,
    };
    texts::write(arguments.out.as_deref(), &documents)?;
    let summary = summed(arguments, &documents, &found, accuracy, of_llm);
    if arguments.json {
        output::print_json(&summary)?;
    } else {
        summary.told().lines().for_each(note);
    }
    Ok(if summary.llm.is_none_or(|llm| llm.is_complete()) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// How asking ended.
enum Ended {
    /// With an answer to something else than what to suggest, or because it was stopped.
    Early(ExitCode),
    Done(Box<Asked>),
}

fn ask(arguments: &Arguments, llm: &Llm, texts: &Texts) -> anyhow::Result<Ended> {
    let AskingArguments { schema: file, guidelines: words, examples, shots, samples, verify, temperature, longest } =
        &arguments.asking;
    let (schema, guidelines) = (schema(file.as_deref())?, guidelines(words.as_deref())?);
    if *longest < 200 {
        bail!("--longest {longest}: a question has room for at least 200 bytes of text");
    }
    let examples = match examples {
        Some(path) => Some(labelled(path, &schema, *longest)?),
        None if *shots > 0 => of_project(&schema, *longest)?,
        None => None,
    };
    let several = if samples.get() > 1 { 0.7 } else { 0.0 };
    let options = PassOptions {
        model: llm.model.clone(),
        shots: *shots,
        samples: samples.get(),
        verify: *verify,
        temperature: temperature.unwrap_or(several),
        max_tokens: arguments.llm.max_answer_tokens.get(),
        longest_piece: *longest,
        extra: llm.extra.clone(),
    };
    for path in &arguments.batch.batch_in {
        let taken = batch::read(path, llm.cache(), llm.server())?;
        note(&format!("{}: {} answers, {} failed", path.display(), taken.answers, taken.failed));
    }
    let by_files = arguments.batch.batch_out.is_some() || !arguments.batch.batch_in.is_empty();
    let (mode, threads) = if by_files { (Mode::Offline, 1) } else { (Mode::Online, arguments.llm.concurrency.get()) };

    let signals = Signals::listen()?;
    let leave = || signals.leave().is_some();
    let desk = llm.desk(mode, &leave);
    let pass = Pass::new(&desk, &schema, &guidelines, examples.as_ref(), options);
    let estimates = texts.documents.iter().map(|document| pass.estimate(document.text()));
    let estimate = estimates.fold(Estimate::default(), Estimate::and);
    if arguments.llm.estimate {
        return tell(llm, &estimate, arguments.json).map(Ended::Early);
    }
    if mode == Mode::Online {
        note(&llm.told(&estimate));
    }
    let outcomes = all(texts, &pass, threads);
    if let Some(code) = signals.leave() {
        note(&format!("stopped; {}", llm.goes_on()));
        return Ok(Ended::Early(ExitCode::from(code)));
    }
    if let Some(why) = desk.halted() {
        bail!("{why}\n  {}", llm.goes_on());
    }
    let unheard = outcomes.iter().filter(|outcome| outcome.state == State::NoAnswer);
    if let (true, Some(problem)) =
        (unheard.count() == outcomes.len(), outcomes.iter().find_map(|one| one.problem.as_ref()))
    {
        bail!("{} answered nothing: {problem}\n  {}", llm.server().address(), llm.goes_on());
    }
    if let Some(path) = &arguments.batch.batch_out {
        return collected(path, &desk).map(Ended::Early);
    }
    let suggestions = outcomes.iter().map(|outcome| {
        // What is known of a part of a text is no vote on the whole.
        (outcome.state == State::Answered).then(|| outcome.suggestions.clone())
    });
    let source = Source { origin: pass.origin(), suggestions: suggestions.collect() };
    let told = told_spent(&desk.spent(), desk.retries());
    let told = OfLlm::new(&outcomes, |at| texts.place(at), desk.spent(), desk.retries(), told);
    Ok(Ended::Done(Box::new(Asked { source, outcomes, told })))
}

fn all(texts: &Texts, pass: &Pass<'_>, threads: usize) -> Vec<Outcome> {
    let progress = Mutex::new(Progress::new("asking", texts.documents.len() as u64, "texts"));
    let told = |done: usize| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.set(done as u64, || format!("{done} of {} texts", texts.documents.len()));
    };
    in_parallel(&texts.documents, threads, |document| pass.of(document.text()), told)
}

/// Tells what asking would cost.
fn tell(llm: &Llm, estimate: &Estimate, json: bool) -> anyhow::Result<ExitCode> {
    let (cost, fits) = llm.judged(estimate);
    if json {
        let mut told = serde_json::to_value(estimate)?;
        told["cost"] = json!(cost);
        told["within_budget"] = json!(fits);
        output::print_json(&told)?;
    } else {
        output::print(&format!("{}\n", llm.told(estimate)))?;
    }
    Ok(if fits { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Writes the questions that are not answered.
fn collected(path: &Path, desk: &Desk<'_>) -> anyhow::Result<ExitCode> {
    let questions = desk.collected();
    let mut lines = Vec::new();
    batch::write(&mut lines, &questions)?;
    std::fs::write(path, lines).with_context(|| format!("{} cannot be written", path.display()))?;
    note(&format!("{}: {} questions; hand its answers to --batch-in", path.display(), questions.len()));
    Ok(ExitCode::SUCCESS)
}

/// Annotated texts, of which examples are taken.
fn labelled(path: &Path, schema: &Schema, longest: usize) -> anyhow::Result<Shots> {
    let (documents, _) = input::annotated(path, None)?;
    let shots = Shots::new(&documents, schema, longest);
    if shots.is_empty() {
        bail!(
            "{}: none of its texts can be an example; they are not annotated completely, or too long",
            path.display()
        );
    }
    Ok(shots)
}

/// What the project has annotated to train on, where it has.
fn of_project(schema: &Schema, longest: usize) -> anyhow::Result<Option<Shots>> {
    let Some(path) = Project::find()?.and_then(|project| project.present(|data| &data.train)) else { return Ok(None) };
    let shots = Shots::new(&input::documents(&path, None)?.0, schema, longest);
    if shots.is_empty() {
        return Ok(None);
    }
    note(&format!("{}: {} texts of it can be shown as examples; --shots 0 shows none", path.display(), shots.len()));
    Ok(Some(shots))
}

fn summed(
    arguments: &Arguments,
    documents: &[Document],
    sources: &[Source],
    accuracy: Vec<Vec<Accuracy>>,
    llm: Option<OfLlm>,
) -> Summary {
    let of_source = |(source, accuracy): (&Source, Vec<Accuracy>)| {
        let mut tally = Tally::default();
        source.suggestions.iter().flatten().for_each(|suggestions| tally.add(suggestions));
        OfSource::new(&source.origin, &tally, accuracy)
    };
    let open = documents.iter().filter(|document| document.partial);
    Summary {
        out: arguments.out.as_ref().map(|out| out.display().to_string()),
        texts: documents.len(),
        annotated: documents.iter().filter(|document| !document.partial).count(),
        entities: open.map(|document| document.entities().len()).sum(),
        sources: sources.iter().zip(accuracy).map(of_source).collect(),
        llm,
    }
}
