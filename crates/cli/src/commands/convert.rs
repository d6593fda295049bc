//! `nomen convert`: annotated text from any format to any other.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use corpus::{Format, Losses, ReadError, ReadOptions, Reader, Report, WriteError, WriteOptions, Writer};
use schema::{Document, offset::Unit, tags::Scheme};
use serde::Serialize;

use crate::{
    input, output,
    progress::{Progress, note},
};

/// Convert annotated text between formats
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// File to read; `-` is standard input
    #[arg(value_name = "IN")]
    source: PathBuf,
    /// File to write; `-` is standard output
    #[arg(value_name = "OUT")]
    target: PathBuf,
    /// Format of IN; detected if not given
    #[arg(long, value_parser = input::format_parser(), value_name = "FORMAT")]
    from: Option<Format>,
    /// Format of OUT; told by its name if not given
    #[arg(long, value_parser = input::written_parser(), value_name = "FORMAT")]
    to: Option<Format>,
    /// What the offsets of IN count, where its format leaves that open
    #[arg(long, value_enum, value_name = "UNIT")]
    offsets: Option<Offsets>,
    /// What the offsets of OUT shall count, if it is doccano, whose editor counts UTF-16 units
    #[arg(long, value_enum, value_name = "UNIT", default_value = "code-points")]
    write_offsets: Offsets,
    /// Column of a table, or field of a task, that holds the text [default: text]
    #[arg(long, value_name = "NAME")]
    text_field: Option<String>,
    /// Names of the tags of IN, if it holds their numbers, in the order of these
    #[arg(long, value_name = "O,B-PER,...", value_delimiter = ',')]
    tag_names: Option<Vec<String>>,
    /// Tag scheme of IN, if it is conll or huggingface; detected if not given
    #[arg(long, value_parser = scheme, value_name = "SCHEME")]
    from_scheme: Option<Scheme>,
    /// Tag scheme of OUT, if it is conll or huggingface
    #[arg(long, value_parser = scheme, value_name = "SCHEME", default_value = "IOB2")]
    scheme: Scheme,
    /// Add to each entity of Nomen JSONL the text that it covers
    #[arg(long)]
    quote: bool,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    /// Print what was read and what OUT cannot hold as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Formats: jsonl, conll, spacy-list, spacy-docbin, huggingface, prodigy, doccano, label-studio,
argilla, gliner, text, csv, tsv; markdown and html are read only. Files that end in .gz or .zst are compressed, whatever their format. Memory does not grow with
the file. Repaired tags, converted offsets and what OUT cannot hold are told on standard error.
Nothing is written if any place of IN cannot be read or any text does not fit into OUT.

Examples:
  nomen convert train.conll train.jsonl
  nomen convert project-7.json gold.jsonl.gz
  nomen convert gold.jsonl train.spacy
  nomen convert export.jsonl gold.conll --from doccano --offsets utf16 --scheme BILOU
  nomen convert tickets.csv tasks.json --text-field body --to label-studio";

#[derive(Clone, Copy, ValueEnum)]
enum Offsets {
    CodePoints,
    Utf16,
    Bytes,
}

impl From<Offsets> for Unit {
    fn from(offsets: Offsets) -> Self {
        match offsets {
            Offsets::CodePoints => Self::CodePoints,
            Offsets::Utf16 => Self::Utf16,
            Offsets::Bytes => Self::Bytes,
        }
    }
}

fn scheme(name: &str) -> Result<Scheme, String> {
    let known = Scheme::ALL.into_iter().find(|scheme| scheme.to_string().eq_ignore_ascii_case(name));
    known.ok_or_else(|| format!("expected one of {}", Scheme::ALL.map(|scheme| scheme.to_string()).join(", ")))
}

#[derive(Serialize)]
struct Answer<'a> {
    source: String,
    target: String,
    from: &'static str,
    to: &'static str,
    documents: usize,
    entities: BTreeMap<&'a str, usize>,
    repaired_tags: usize,
    converted_offsets: usize,
    unannotated: usize,
    left_out: BTreeMap<String, usize>,
    /// In how many documents what was lost.
    not_kept: BTreeMap<String, usize>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { source, target, .. } = arguments;
    let to = arguments.target_format()?;
    if fs::canonicalize(source).is_ok_and(|source| fs::canonicalize(target).is_ok_and(|target| source == target)) {
        bail!("{} is read and cannot be written at the same time; name another file", source.display());
    }
    if !arguments.force && !is_stream(target) && target.exists() {
        bail!("{} is there already; name another file, or replace it with --force", target.display());
    }
    if arguments.json && is_stream(target) {
        bail!("--json and the documents would both go to standard output; name a file for OUT");
    }
    let mut reader = arguments.open()?;
    let unit = arguments.write_offsets.into();
    let options = WriteOptions { scheme: arguments.scheme, quote: arguments.quote, unit };
    let losses = if is_stream(target) {
        let mut writer = Writer::new(output::stdout(), "standard output", to, options);
        copy(&mut reader, |document| writer.write(document))?;
        writer.finish()?.1
    } else {
        let mut writer = Writer::create(target, to, options)?;
        copy(&mut reader, |document| writer.write(document))?;
        writer.save()?
    };
    arguments.tell(to, &reader.into_report(), &losses)
}

/// Every document from one side to the other; the first places that do not go over are told together.
fn copy(reader: &mut Reader<'_>, mut write: impl FnMut(&Document) -> Result<(), WriteError>) -> anyhow::Result<()> {
    const TOLD: u64 = 10_000;
    let mut progress = Progress::with_template("converting", None, "{msg} {pos} texts, {per_sec}");
    let mut wrong: Vec<anyhow::Error> = Vec::new();
    for (number, document) in (1..).zip(reader.by_ref()) {
        match document {
            Ok(document) => match write(&document) {
                Ok(()) => {}
                // Where one text cannot be stored no other can.
                Err(error @ WriteError::Io { .. }) => return Err(error.into()),
                Err(error) => wrong.push(error.into()),
            },
            Err(error) => wrong.push(plain(&error)),
        }
        if wrong.len() == input::LISTED {
            break;
        }
        if number % TOLD == 0 {
            progress.set(number, || format!("{number} texts"));
        }
    }
    drop(progress);
    input::refuse_places(reader.path(), wrong)
}

/// An error by its message alone: the options that it names are this command's own, and no other command line helps.
fn plain(error: &ReadError) -> anyhow::Error {
    anyhow!("{error}")
}

/// The formats that can be written.
fn written() -> Vec<&'static str> {
    Format::ALL.into_iter().filter(|format| format.is_written()).map(Format::name).collect()
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

impl Arguments {
    fn target_format(&self) -> anyhow::Result<Format> {
        let named = || if is_stream(&self.target) { None } else { Format::of_name(&self.target) };
        let to = self.to.or_else(named).filter(|to| to.is_written());
        to.ok_or_else(|| {
            anyhow!(
                "the name {} tells no format that can be written; name one with --to: {}",
                self.target.display(),
                written().join(", ")
            )
        })
    }

    fn open(&self) -> anyhow::Result<Reader<'static>> {
        let options = ReadOptions {
            format: self.from,
            scheme: self.from_scheme,
            unit: self.offsets.map(Unit::from),
            text_field: self.text_field.clone(),
            tag_names: self.tag_names.clone(),
            ..ReadOptions::default()
        };
        let reader = if is_stream(&self.source) {
            corpus::read_with(BufReader::new(io::stdin()), "standard input", &options)
        } else {
            corpus::open_with(&self.source, &options)
        };
        reader.map_err(|error| plain(&error))
    }

    fn tell(&self, to: Format, report: &Report, losses: &Losses) -> anyhow::Result<ExitCode> {
        for line in input::told(report) {
            note(&format!("{}: {line}", self.source.display()));
        }
        for line in losses.to_string().lines() {
            note(&format!("{}: {line}", self.target.display()));
        }
        let answer = Answer {
            source: self.source.display().to_string(),
            target: self.target.display().to_string(),
            from: report.format.name(),
            to: to.name(),
            documents: report.documents,
            entities: report.entities.iter().map(|(label, count)| (label.as_str(), *count)).collect(),
            repaired_tags: report.repairs.total,
            converted_offsets: report.units.total,
            unannotated: report.unannotated,
            left_out: report.left_out.iter().map(|(what, count)| (what.to_string(), *count)).collect(),
            not_kept: losses.iter().map(|(loss, documents, _)| (loss.to_string(), documents)).collect(),
        };
        if self.json {
            output::print_json(&answer)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
