//! `nomen tag`: the entities in text, text by text as it comes.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;
use corpus::{Format, Losses, ReadError, ReadOptions, Reader, WriteOptions, Writer};
use model::{Input, Recognizer};
use operate::predictions::WhenFull;
use schema::{
    Document, Entity, Meta,
    offset::{Offsets, Unit},
};
use serde::Serialize;
use url::Url;

use crate::{
    batches::{Batches, Delivery, Sender},
    input,
    logging::LogArguments,
    output::{self, Stdout},
    progress::note,
    recognizer::RunArguments,
    remote::Remote,
    versions,
};

const STANDARD_INPUT: &str = "standard input";

/// Find the entities in text
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    #[command(flatten)]
    by: ByArguments,
    /// Files to tag; standard input where none or `-` is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Format of the input; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Print {"text","entities":[{"start","end","label","text","score"}]} a text; code points
    #[arg(long)]
    json: bool,
    /// Print a file of this format with the entities as annotations
    #[arg(long, value_parser = input::written_parser(), value_name = "FORMAT", conflicts_with = "json")]
    to: Option<Format>,
    #[command(flatten)]
    log: LogArguments,
}

/// Who finds the entities.
#[derive(Args)]
struct ByArguments {
    /// Model that `nomen train` left, a transformers token classifier, or a registry by its folder or
    /// s3: URL (its live version; registry:DIR@v2 for another)
    #[arg(long, value_name = "DIR", required_unless_present = "server")]
    model: Option<PathBuf>,
    #[command(flatten)]
    run: RunArguments,
    /// Ask `nomen serve` at this address instead of a model here; a key stands in `NOMEN_SERVER_KEY`
    #[arg(long, value_name = "URL", conflicts_with_all = ["model", "precision", "threads", "log"])]
    server: Option<Url>,
}

/// Who finds the entities, ready to be asked.
enum Tagger {
    Here(Box<Recognizer>),
    There(Remote),
}

impl Tagger {
    fn named(&self) -> &'static str {
        match self {
            Self::Here(_) => "model",
            Self::There(_) => "server",
        }
    }

    fn entities(&self, inputs: &[Input<'_>]) -> anyhow::Result<Vec<Vec<Entity>>> {
        match self {
            Self::Here(recognizer) => Ok(recognizer.inputs(inputs)?),
            Self::There(remote) => remote.entities(inputs),
        }
    }
}

const HELP: &str = "\
Reads every format that `nomen convert` reads and answers in the same order while it reads. Prints a line a text, entities marked as [Rome](PLACE), unless --json or --to says
otherwise. Long texts are tagged from end to end. With --log what was asked and answered is recorded for `nomen monitor`.

Examples:
  echo 'Anna moved to Rome.' | nomen tag --model runs/news/model-best
  nomen tag --model runs/news/model-best letters.txt --json > entities.jsonl
  nomen tag --model runs/news/model-best tokens.conll --to conll > tagged.conll
  nomen tag --model runs/news/model-best raw.jsonl --to label-studio > tasks.json
  nomen tag --model runs/news/model-best letters.txt --json --log logs/news > entities.jsonl
  nomen tag --server http://127.0.0.1:8080 letters.txt";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (tagger, log) = match &arguments.by {
        ByArguments { server: Some(server), .. } => (Tagger::There(Remote::new(server)?), None),
        ByArguments { model, run, .. } => {
            let folder = versions::folder(model.as_deref().unwrap_or(Path::new("")))?;
            let recognizer = run.open(&folder)?;
            // Nobody waits for an answer to a file, so none of its texts is dropped from the log.
            let log = arguments.log.open(&recognizer, &folder, WhenFull::Wait)?;
            (Tagger::Here(Box::new(recognizer)), log)
        }
    };
    let files = if arguments.files.is_empty() { vec![PathBuf::from("-")] } else { arguments.files.clone() };
    // Whoever types or pipes waits for an answer; a file does not, and gets the same batches every time.
    let delivery = if files.iter().all(|file| is_regular(file)) { Delivery::Full } else { Delivery::Prompt };
    let options = ReadOptions { format: arguments.format, ..ReadOptions::default() };
    let batches = Batches::from(delivery, move |sender| read(&files, &options, sender));

    let mut answer = Answer::new(arguments);
    let mut done = 0;
    for batch in batches {
        let mut batch = batch.into_iter().peekable();
        let mut documents = Vec::new();
        while let Some(document) = batch.next_if(Result::is_ok) {
            documents.extend(document);
        }
        let inputs: Vec<Input<'_>> = documents.iter().map(Input::from).collect();
        let failed =
            || format!("the {} failed between the texts {} and {}", tagger.named(), done + 1, done + inputs.len());
        let entities = tagger.entities(&inputs).with_context(failed)?;
        done += documents.len();
        for (document, entities) in documents.iter().zip(entities) {
            if let Some(log) = &log {
                log.record(document.text(), &entities);
            }
            answer.write(document, entities)?;
        }
        answer.flush()?;
        if let Some(Err(error)) = batch.next() {
            return Err(error.into());
        }
    }
    answer.finish()?;
    if let Some(log) = log {
        log.finish();
    }
    Ok(ExitCode::SUCCESS)
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn is_regular(file: &Path) -> bool {
    if is_stdin(file) { stdin_is_regular() } else { file.is_file() }
}

#[cfg(unix)]
fn stdin_is_regular() -> bool {
    use std::os::fd::AsFd as _;
    let duplicate = io::stdin().as_fd().try_clone_to_owned();
    duplicate.and_then(|file| File::from(file).metadata()).is_ok_and(|stdin| stdin.is_file())
}

#[cfg(not(unix))]
fn stdin_is_regular() -> bool {
    false
}

/// Sends the documents of the files one after the other, up to the first place that cannot be read.
fn read(files: &[PathBuf], options: &ReadOptions, sender: &Sender<Result<Document, ReadError>>) {
    for file in files {
        let mut reader = match open(file, options) {
            Ok(reader) => reader,
            Err(error) => {
                sender.send(Err(error), 0);
                return;
            }
        };
        if options.format.is_none() {
            let report = reader.report();
            let columns = report.columns.map(|columns| format!("; {columns}")).unwrap_or_default();
            note(&format!("{}: read as {} ({}){columns}", reader.path().display(), report.format, report.evidence));
        }
        for document in reader.by_ref() {
            let last = document.is_err();
            let bytes = document.as_ref().map_or(0, |document| document.text().len());
            if !sender.send(document, bytes) || last {
                return;
            }
        }
        let unused = reader.report().entity_count();
        if unused > 0 {
            note(&format!(
                "{}: its {unused} entities are not used; the answer holds the model's",
                reader.path().display()
            ));
        }
    }
}

fn open(file: &Path, options: &ReadOptions) -> Result<Reader<'static>, ReadError> {
    if !is_stdin(file) {
        return corpus::open_with(file, options);
    }
    if io::stdin().is_terminal() {
        note("reading texts from standard input, one a line; end with Ctrl-D");
    }
    corpus::read_with(BufReader::new(io::stdin()), STANDARD_INPUT, options)
}

/// Where the entities go.
enum Answer {
    /// Each text on a line, its entities marked.
    Marked(BufWriter<Stdout>),
    /// Each text and its entities as an object on a line.
    Json(BufWriter<Stdout>),
    /// An annotated file.
    File { format: Format, model: String, writer: Box<Writer<io::StdoutLock<'static>>> },
}

impl Answer {
    fn new(arguments: &Arguments) -> Self {
        match arguments.to {
            Some(target) => {
                let options = WriteOptions { quote: true, ..WriteOptions::default() };
                let writer = Writer::new(io::stdout().lock(), "standard output", target, options);
                let by = &arguments.by;
                let model = by.server.as_ref().map(Url::to_string);
                let model = model.or_else(|| by.model.as_ref().map(|model| model.display().to_string()));
                let model = model.unwrap_or_default();
                Self::File { format: target, model, writer: Box::new(writer) }
            }
            None if arguments.json => Self::Json(output::stdout()),
            None => Self::Marked(output::stdout()),
        }
    }

    fn write(&mut self, document: &Document, entities: Vec<Entity>) -> anyhow::Result<()> {
        match self {
            Self::Marked(out) => out.write_all(marked(document.text(), &entities).as_bytes())?,
            Self::Json(out) => {
                serde_json::to_writer(&mut *out, &Tagged::new(document, &entities))?;
                out.write_all(b"\n")?;
            }
            Self::File { format, model, writer } => writer.write(&annotated(document, entities, *format, model)?)?,
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Marked(out) | Self::Json(out) => Ok(out.flush()?),
            // Nobody reads half of a file.
            Self::File { .. } => Ok(()),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        if let Self::File { writer, .. } = self {
            let (_, losses) = writer.finish()?;
            tell(&losses);
        }
        Ok(())
    }
}

fn tell(losses: &Losses) {
    losses.to_string().lines().for_each(note);
}

/// The document with the model's entities instead of its own: suggestions of this model where the format tells these from annotations.
fn annotated(document: &Document, mut entities: Vec<Entity>, format: Format, model: &str) -> anyhow::Result<Document> {
    let suggested = matches!(format, Format::LabelStudio | Format::Argilla);
    for entity in &mut entities {
        if suggested || format == Format::Prodigy {
            entity.source = Some(model.to_owned());
        } else if !matches!(format, Format::Jsonl | Format::Csv | Format::Tsv) {
            entity.score = None;
        }
    }
    let mut tagged = document.clone().with_entities(entities)?;
    // The model has judged the whole text, for all its labels.
    (tagged.partial, tagged.looked_for) = (suggested, None);
    Ok(tagged)
}

/// The text on one line, each entity as `[surface](LABEL)`.
pub fn marked(text: &str, entities: &[Entity]) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    let mut place = 0;
    for entity in entities {
        line += &text[place..entity.span.start()];
        for part in ["[", entity.span.quote(text), "](", entity.label.as_str(), ")"] {
            line.push_str(part);
        }
        place = entity.span.end();
    }
    line += &text[place..];
    if line.contains(['\n', '\r']) {
        line = line.replace('\r', "\\r").replace('\n', "\\n");
    }
    line.push('\n');
    line
}

#[derive(Serialize)]
struct Tagged<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    text: &'d str,
    entities: Vec<Found<'d>>,
    #[serde(skip_serializing_if = "Meta::is_empty")]
    meta: &'d Meta,
}

#[derive(Serialize)]
struct Found<'d> {
    start: usize,
    end: usize,
    label: &'d str,
    text: &'d str,
    score: Option<f32>,
}

impl<'d> Tagged<'d> {
    fn new(document: &'d Document, entities: &'d [Entity]) -> Self {
        let text = document.text();
        let offsets = Offsets::new(text, Unit::CodePoints);
        let found = |entity: &'d Entity| {
            let (start, end) = offsets.of(entity.span);
            Found { start, end, label: entity.label.as_str(), text: entity.span.quote(text), score: entity.score }
        };
        Self { id: document.id.as_deref(), text, entities: entities.iter().map(found).collect(), meta: &document.meta }
    }
}

#[cfg(test)]
mod tests {
    use schema::{Label, Span};

    use super::*;

    #[test]
    fn a_text_stays_on_one_line_with_its_entities_marked() {
        let entity = |start, end| Entity::new(Span::new(start, end).unwrap(), Label::new("PLACE").unwrap());
        let text = "Ærø\nand Rome";
        assert_eq!(marked(text, &[entity(0, 5), entity(10, 14)]), "[Ærø](PLACE)\\nand [Rome](PLACE)\n");
        assert_eq!(marked("", &[]), "\n");
    }
}
