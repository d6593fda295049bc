//! `nomen update`: a model learns something new and keeps what it knew.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use corpus::{Format, rehearsal};
use model::{Bundle, Workers, base::BaseSpec};
use schema::{Document, Label};
use train::{End, RunConfig};

use super::train::next_steps;
use crate::{
    input, output,
    progress::note,
    training::{self, Configuration, Data, Ending, Knowledge, Method, Set},
};

/// Teach a model new texts and labels without losing what it knows
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// The model to update, as `nomen train` leaves it
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// New annotated text
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// New annotated text by which the best model is chosen
    #[arg(long, value_name = "FILE")]
    dev: Option<PathBuf>,
    /// New annotated text on which the best model is judged at the end
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Old training text, of which some is learned again
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many old texts are learned again [default: twice as many as there are new ones, at least 300]
    #[arg(long, value_name = "N")]
    replay_size: Option<usize>,
    /// Old annotated text that tells what must not be forgotten [default: a tenth of --replay, or what the
    /// model finds in the new texts]
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
    /// How what is known is kept
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = DEFAULT)]
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

/// What is done where nobody says otherwise.
const DEFAULT: [Method; 4] = [Method::Partial, Method::Rehearsal, Method::Distillation, Method::Averaging];
/// Pull of the weights to where they were, where it is asked for without a strength.
const L2_SP: f64 = 50.0;
/// Old texts are this many times as many as new ones, and at least so many.
const REPLAY: (usize, usize) = (2, 300);
/// Of the old texts every so many-th is kept for the dev set.
const OLD_DEV: usize = 10;

const HELP: &str = "\
The head keeps the rows of the old labels and gets new ones for the new labels. What the new
texts were not searched for is not taught to be absent in them.
Leaves in DIR what `nomen train` leaves there.
Exit codes: 0 done, 1 the run diverged, 2 wrong usage or input, 130 or 143 stopped by a signal.

Examples:
  nomen update --model runs/1/model-best --train new.jsonl --dev new-dev.jsonl --replay train.jsonl --out runs/2
  nomen update --model runs/1/model-best --train new.jsonl --labels DRUG --out runs/2
  nomen update --model runs/1/model-best --train new.jsonl --rename ORG=COMPANY --retire MISC --out runs/2";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let begun = training::begun(&arguments.out, arguments.resume)?;
    let config = Configuration::new(begun.as_ref(), |config| wants(arguments, config))?;
    let data = data(arguments)?;
    match training::run(&arguments.out, begun, &config, &data)? {
        Ending::Asked(code) => {
            note(&format!(
                "stopped; the same command with --resume goes on with the run in {}",
                arguments.out.display()
            ));
            Ok(ExitCode::from(code))
        }
        Ending::Finished(run) => {
            if let Some(known) = data.known.as_ref().filter(|known| known.uses(Method::Averaging)) {
                training::average(&run, &arguments.model, known, &data)?;
            }
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

/// Lays the options over a configuration, whose base is the model.
fn wants(arguments: &Arguments, mut config: RunConfig) -> anyhow::Result<RunConfig> {
    if arguments.with.contains(&Method::L2) {
        config.l2_sp = Some(L2_SP);
    }
    let mut config = training::with_options(config, arguments.config.as_deref(), &arguments.set)?;
    config.base = Some(BaseSpec::Path(arguments.model.clone()));
    Ok(config)
}

fn data(arguments: &Arguments) -> anyhow::Result<Data> {
    let annotated = |path: &PathBuf| -> anyhow::Result<Set> {
        let (documents, _) = input::annotated(path, arguments.format)?;
        Ok(Set { path: path.clone(), documents })
    };
    let mut known = Knowledge {
        methods: arguments.with.clone(),
        renamed: BTreeMap::new(),
        retired: arguments.retire.iter().map(|name| Label::new(name.as_str())).collect::<Result<_, _>>()?,
        replay: None,
        dev: arguments.old_dev.as_ref().map(annotated).transpose()?,
        dev_is_of_the_model: false,
        unlabelled: None,
        temperature: arguments.temperature,
        confidence: arguments.confidence,
    };
    for rename in &arguments.rename {
        let (old, new) = rename.split_once('=').with_context(|| format!("--rename {rename}: expected OLD=NEW"))?;
        known.renamed.insert(Label::new(new)?, Label::new(old)?);
    }
    let old = Bundle::open(&arguments.model)?;
    let old_labels: Vec<Label> = old.manifest.schema.labels().filter_map(|label| known.named(label)).collect();

    let mut train = annotated(&arguments.train)?;
    let mut dev = arguments.dev.as_ref().map(annotated).transpose()?;
    let mut test = arguments.test.as_ref().map(annotated).transpose()?;
    let searched = searched(arguments, &train.documents)?;
    for set in [Some(&mut train), dev.as_mut(), test.as_mut()].into_iter().flatten() {
        say_what_was_searched(&mut set.documents, searched.as_deref());
    }
    if let Some(path) = &arguments.replay {
        let mut replay = annotated(path)?;
        let (kept, learned) = part(replay.documents, known.dev.is_none());
        if known.dev.is_none() {
            known.dev = Some(Set { path: path.clone(), documents: kept });
        }
        let size = arguments.replay_size.unwrap_or((REPLAY.0 * train.documents.len()).max(REPLAY.1));
        let chosen = rehearsal(&learned, if known.uses(Method::Rehearsal) { size } else { 0 });
        note(&format!("{} of {} old texts are learned again", chosen.len(), learned.len()));
        replay.documents = chosen.into_iter().map(|position| learned[position].clone()).collect();
        known.replay = (!replay.documents.is_empty()).then_some(replay);
    }
    if let Some(path) = &arguments.unlabelled {
        let (mut documents, _) = input::documents(path, arguments.format)?;
        for document in &mut documents {
            document.partial = true;
        }
        known.unlabelled = Some(Set { path: path.clone(), documents });
    }
    if known.dev.is_none() {
        let from = dev.as_ref().unwrap_or(&train);
        known.dev = Some(Set { path: from.path.clone(), documents: found_by(&old, &from.documents)? });
        known.dev_is_of_the_model = true;
        note("no old texts are given: what the old model finds in the new ones tells what must not be forgotten");
    }
    let old_sets = [known.replay.take(), known.dev.take()];
    let [replay, old_dev] = old_sets.map(|set| set.map(|set| old_texts(set, &known, &old_labels)).transpose());
    (known.replay, known.dev) = (replay?, old_dev?);
    Ok(Data { train, dev, test, known: Some(known) })
}

/// The labels that the new texts were searched for, where they do not say so themselves; `None` for all.
fn searched(arguments: &Arguments, documents: &[Document]) -> anyhow::Result<Option<Vec<Label>>> {
    if arguments.complete {
        return Ok(None);
    }
    if let Some(names) = &arguments.labels {
        return Ok(Some(names.iter().map(|name| Label::new(name.as_str())).collect::<Result<_, _>>()?));
    }
    let mut labels: Vec<Label> =
        documents.iter().flat_map(Document::entities).map(|entity| entity.label.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.is_empty() {
        bail!(
            "{}: no entity is in it, so nothing new is learned; name what it was searched for with --labels",
            arguments.train.display()
        );
    }
    let names: Vec<&str> = labels.iter().map(Label::as_str).collect();
    note(&format!("the new texts count as searched for {} (--labels and --complete say otherwise)", names.join(", ")));
    Ok(Some(labels))
}

fn say_what_was_searched(documents: &mut [Document], labels: Option<&[Label]>) {
    for document in documents.iter_mut().filter(|document| document.looked_for.is_none()) {
        document.looked_for = labels.map(<[Label]>::to_vec);
    }
}

/// Every so many-th document, if a part is wanted, and the rest.
fn part(documents: Vec<Document>, is_wanted: bool) -> (Vec<Document>, Vec<Document>) {
    let (mut part, mut rest) = (Vec::new(), Vec::new());
    for (index, document) in documents.into_iter().enumerate() {
        if is_wanted && index % OLD_DEV == 0 { part.push(document) } else { rest.push(document) }
    }
    (part, rest)
}

/// Old texts by the labels' new names; they were searched for the old labels only.
fn old_texts(mut set: Set, known: &Knowledge, labels: &[Label]) -> anyhow::Result<Set> {
    training::rename(&mut set.documents, known)?;
    say_what_was_searched(&mut set.documents, Some(labels));
    Ok(set)
}

/// What a model finds in texts, as if it were annotated.
fn found_by(bundle: &Bundle, documents: &[Document]) -> anyhow::Result<Vec<Document>> {
    let workers = Workers::new(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let inputs: Vec<model::Input<'_>> = documents.iter().map(model::Input::from).collect();
    let found = workers.recognize(&bundle.classifier, &bundle.codec, &inputs)?;
    let labels: Vec<Label> = bundle.manifest.schema.labels().cloned().collect();
    let annotated = |(document, found): (&Document, Vec<schema::Entity>)| {
        let mut document = document.clone().with_entities(found)?;
        (document.partial, document.looked_for) = (false, Some(labels.clone()));
        Ok(document)
    };
    documents.iter().zip(found).map(annotated).collect()
}
