//! `nomen prepare`: texts cleaned and cut while their entities move along.

use std::{
    fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use corpus::{
    Format, ReadOptions, Reader, WriteOptions, Writer,
    prepare::{Form, LineCounts, LineEnds, Masked, Segmentation, Step, prepare, segment},
};
use schema::Document;

use crate::{
    input,
    joining::Joined,
    output,
    preparing::Tally,
    progress::{Progress, note},
};

/// Clean texts and cut them into sentences or paragraphs; entities move along
#[derive(Args)]
#[command(after_help = HELP)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct Arguments {
    /// File to read; `-` is standard input
    #[arg(value_name = "IN")]
    source: PathBuf,
    /// File to write; `-` is standard output
    #[arg(value_name = "OUT")]
    target: PathBuf,
    /// Remove lines that occur in at least this share of the texts, such as 0.2
    #[arg(long, value_name = "SHARE", value_parser = share)]
    boilerplate: Option<f64>,
    /// Bring characters into a Unicode normalization form
    #[arg(long, value_enum, value_name = "FORM")]
    normalize: Option<NormalForm>,
    /// Remove control and zero-width characters, collapse white space
    #[arg(long)]
    clean: bool,
    /// With --clean: make line ends spaces, too
    #[arg(long, requires = "clean")]
    join_lines: bool,
    /// Replace addresses by `<URL>` and `<EMAIL>`
    #[arg(long, value_enum, value_name = "KINDS", value_delimiter = ',')]
    mask: Vec<Kind>,
    /// Make all letters small
    #[arg(long)]
    lower: bool,
    /// Cut each text; a piece tells in its metadata where it comes from
    #[arg(long, value_enum, value_name = "INTO")]
    segment: Option<Pieces>,
    /// Put the pieces of --segment together again, with the entities that they have now
    #[arg(long, conflicts_with_all = ["boilerplate", "normalize", "clean", "mask", "lower", "segment", "drop_changed"])]
    join: bool,
    /// Leave out entities that a step leaves no place for, and list them
    #[arg(long)]
    drop_changed: bool,
    /// Format of IN; detected if not given
    #[arg(long, value_parser = input::format_parser(), value_name = "FORMAT")]
    from: Option<Format>,
    /// Format of OUT; told by its name if not given, jsonl for standard output
    #[arg(long, value_parser = input::format_parser(), value_name = "FORMAT")]
    to: Option<Format>,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    /// Print what each step changed as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
The steps run in the order above. An entity covers afterwards what the steps made of its text.
One that starts or ends inside a change, or whose text is removed, is an error, and no file is
written, unless --drop-changed leaves it out. A sentence end inside an entity is none.
Each piece of --segment has meta.parent (the text's id or number) and meta.start (code points),
with which --join puts the texts together again; the pieces must be in their order.

Examples:
  nomen prepare raw.jsonl clean.jsonl --normalize nfc --clean --mask urls,emails
  nomen prepare pages.jsonl pages.clean.jsonl --boilerplate 0.2 --clean
  nomen prepare reports.jsonl sentences.jsonl --segment sentences --json
  nomen prepare sentences.annotated.jsonl reports.annotated.jsonl --join";

#[derive(Clone, Copy, ValueEnum)]
enum NormalForm {
    Nfc,
    Nfkc,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Urls,
    Emails,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pieces {
    Sentences,
    Paragraphs,
}

fn share(share: &str) -> Result<f64, String> {
    let number = share.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    number.ok_or_else(|| "expected a share above 0 and up to 1, such as 0.2".to_owned())
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let format = arguments.target_format()?;
    arguments.refuse_targets()?;
    let steps = arguments.steps()?;
    let segmentation = arguments.segment.map(|pieces| match pieces {
        Pieces::Sentences => Segmentation::Sentences,
        Pieces::Paragraphs => Segmentation::Paragraphs,
    });
    if steps.is_empty() && segmentation.is_none() && !arguments.join {
        bail!("nothing to do: name a step, such as --clean (nomen prepare --help lists them)");
    }
    let mut reader = arguments.open()?;
    let mut tally = Tally::new(steps);
    let mut joined = Joined::default();
    let mut work = |write: &mut dyn FnMut(&Document) -> anyhow::Result<()>| {
        if arguments.join {
            joined = Joined::of(&mut reader, write)?;
            return Ok(());
        }
        arguments.copy(&mut reader, &mut tally, segmentation, write)
    };
    let losses = if is_stream(&arguments.target) {
        let mut writer = Writer::new(output::stdout(), "standard output", format, WriteOptions::default());
        work(&mut |document| Ok(writer.write(document)?))?;
        let (mut out, losses) = writer.finish()?;
        io::Write::flush(&mut out)?;
        losses
    } else {
        let mut writer = Writer::create(&arguments.target, format, WriteOptions::default())?;
        work(&mut |document| Ok(writer.write(document)?))?;
        writer.save()?
    };
    for line in input::told(reader.report()) {
        note(&format!("{}: {line}", arguments.source.display()));
    }
    for line in losses.to_string().lines() {
        note(&format!("{}: {line}", arguments.target.display()));
    }
    let rendered = if arguments.join { joined.render() } else { tally.render(segmentation) };
    if arguments.json && arguments.join {
        output::print_json(&joined)?;
    } else if arguments.json {
        output::print_json(&tally.answer(&arguments.source, &arguments.target))?;
    } else if is_stream(&arguments.target) {
        note(rendered.trim_end());
    } else {
        output::print(&rendered)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

impl Arguments {
    fn target_format(&self) -> anyhow::Result<Format> {
        let named = || if is_stream(&self.target) { Some(Format::Jsonl) } else { Format::of_name(&self.target) };
        let format = self.to.or_else(named);
        format.ok_or_else(|| {
            let formats = Format::ALL.map(Format::name).join(", ");
            anyhow!("the name {} does not tell a format; name one with --to: {formats}", self.target.display())
        })
    }

    fn refuse_targets(&self) -> anyhow::Result<()> {
        let Self { source, target, .. } = self;
        if self.json && is_stream(target) {
            bail!("--json and the texts would both go to standard output; name a file for OUT");
        }
        if fs::canonicalize(source).is_ok_and(|source| fs::canonicalize(target).is_ok_and(|target| source == target)) {
            bail!("{} is read and cannot be written at the same time; name another file", source.display());
        }
        if !self.force && !is_stream(target) && target.exists() {
            bail!("{} is there already; name another file, or replace it with --force", target.display());
        }
        Ok(())
    }

    /// The steps in their order; lines that texts share are counted in a first pass.
    fn steps(&self) -> anyhow::Result<Vec<Step>> {
        let mut steps = Vec::new();
        if let Some(share) = self.boilerplate {
            if !self.source.is_file() {
                bail!("--boilerplate reads the texts twice; name a file for IN");
            }
            let mut lines = LineCounts::default();
            for document in self.open()? {
                lines.add(document?.text());
            }
            steps.push(Step::Boilerplate(Arc::new(lines.at_least(share))));
        }
        steps.extend(self.normalize.map(|form| match form {
            NormalForm::Nfc => Step::Normalize(Form::Nfc),
            NormalForm::Nfkc => Step::Normalize(Form::Nfkc),
        }));
        if self.clean {
            steps.push(Step::Invisible);
        }
        for (kind, masked) in [(Kind::Urls, Masked::Urls), (Kind::Emails, Masked::Emails)] {
            if self.mask.contains(&kind) {
                steps.push(Step::Mask(masked));
            }
        }
        if self.clean {
            let line_ends = if self.join_lines { LineEnds::Joined } else { LineEnds::Kept };
            steps.extend([Step::WhiteSpace(line_ends), Step::Trim]);
        }
        if self.lower {
            steps.push(Step::Lower);
        }
        Ok(steps)
    }

    fn open(&self) -> anyhow::Result<Reader<'static>> {
        let options = ReadOptions { format: self.from, ..ReadOptions::default() };
        Ok(if is_stream(&self.source) {
            corpus::read_with(BufReader::new(io::stdin()), "standard input", &options)?
        } else {
            corpus::open_with(&self.source, &options)?
        })
    }

    /// Every text from one side to the other; entities without a place are told together at the end.
    fn copy(
        &self,
        reader: &mut Reader<'_>,
        tally: &mut Tally,
        segmentation: Option<Segmentation>,
        mut write: impl FnMut(&Document) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        const TOLD: usize = 10_000;
        let mut progress = Progress::with_template("preparing", None, "{msg} {pos} texts, {per_sec}");
        for (number, document) in (1..).zip(reader.by_ref()) {
            let document = document?;
            let text = || document.id.as_ref().map_or(format!("text {number}"), |id| format!("text {number} ({id})"));
            let prepared = prepare(&document, &tally.steps).with_context(text)?;
            tally.add(&text(), &document, &prepared);
            if number % TOLD == 0 {
                progress.set(number as u64, || format!("{number} texts"));
            }
            match segmentation {
                // What is going to be refused is only counted on.
                _ if tally.has_lost() && !self.drop_changed => {}
                None => tally.write(&prepared.document, &mut write)?,
                Some(by) => {
                    let segments = segment(&prepared.document, number, by).with_context(text)?;
                    tally.joined += segments.joined;
                    for piece in &segments.pieces {
                        tally.write(piece, &mut write)?;
                    }
                }
            }
        }
        drop(progress);
        if tally.has_lost() && !self.drop_changed {
            bail!("{}: {}\nleave them out with --drop-changed, or correct them", self.source.display(), tally.lost());
        }
        Ok(())
    }
}
