//! Documents into a file or a stream.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use schema::{Document, offset::Unit, tags::Scheme};
use tempfile::NamedTempFile;

use crate::{
    Format, Loss, Losses, WriteError, argilla, compression::Compressor, conll, docbin, doccano, gliner, huggingface,
    jsonl, label_studio, lines::BYTE_ORDER_MARK, prodigy, spacy_list, table, text,
};

/// How to write, where a format leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// The tag scheme of CoNLL and Hugging Face rows.
    pub scheme: Scheme,
    /// Add to each entity of Nomen JSONL the text that it covers, which proves the unit of its offsets.
    pub quote: bool,
    /// What offsets count in doccano's JSONL, which does not say it: its editor counts UTF-16 units, other programs code points.
    pub unit: Unit,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { scheme: Scheme::Iob2, quote: false, unit: Unit::CodePoints }
    }
}

/// Writes documents one after the other; [`Writer::finish`] completes the output.
pub struct Writer<W: Write> {
    out: BufWriter<W>,
    path: PathBuf,
    format: Format,
    options: WriteOptions,
    conll: conll::Writer,
    whole: Whole,
    documents: usize,
    /// Whether a byte may have been written.
    started: bool,
    losses: Losses,
}

/// What collects documents for a format whose file is written at the end.
enum Whole {
    None,
    DocBin(Box<docbin::Writer>),
    Parquet(Box<huggingface::ParquetWriter>),
}

/// A file that appears under its name when it is whole; dropped before, it leaves nothing. A name that ends in `.gz` or
/// `.zst` makes it a compressed one.
pub struct Atomic {
    file: Compressor<NamedTempFile>,
    directory: PathBuf,
}

impl Write for Atomic {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<W: Write> Writer<W> {
    /// A writer into a stream that is called `name` in errors. Hugging Face rows become Parquet where the name ends
    /// in `.parquet`, else JSON lines.
    pub fn new(out: W, name: impl Into<PathBuf>, format: Format, options: WriteOptions) -> Self {
        let conll = conll::Writer::new(options.scheme);
        let out = BufWriter::with_capacity(1 << 16, out);
        let path = name.into();
        let parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        let whole = match format {
            Format::SpacyDocbin => Whole::DocBin(Box::new(docbin::Writer::new())),
            Format::Huggingface if parquet => Whole::Parquet(Box::new(huggingface::ParquetWriter::new(options.scheme))),
            _ => Whole::None,
        };
        Self { out, path, format, options, conll, whole, documents: 0, started: false, losses: Losses::default() }
    }

    /// Writes one document.
    ///
    /// # Errors
    /// The output fails, or the format cannot hold the document without changing what it says; of such a document
    /// nothing is written, and the next one can still be.
    pub fn write(&mut self, document: &Document) -> Result<(), WriteError> {
        let number = self.documents + 1;
        let mut lost = self.format.losses(document);
        let unsaid = |score: f32| !(0.0..=1.0).contains(&score);
        if document.entities().iter().any(|entity| entity.score.is_some_and(unsaid)) {
            return Err(self.refuse(document, "a score is not between 0 and 1".into()));
        }
        let written = match self.format {
            Format::Jsonl => jsonl::write(&mut self.out, document, self.options.quote),
            Format::SpacyList => self.element(number == 1, |out| spacy_list::write(out, document)),
            Format::LabelStudio => self.element(number == 1, |out| label_studio::write(out, document)),
            Format::Argilla => self.element(number == 1, |out| argilla::write(out, document)),
            Format::Prodigy => prodigy::write(&mut self.out, document),
            Format::Doccano => doccano::write(&mut self.out, document, self.options.unit),
            Format::Gliner => match conll::Rows::of(document, &mut lost) {
                Ok(rows) => gliner::write(&mut self.out, document, &rows),
                Err(problem) => return Err(self.refuse(document, problem)),
            },
            Format::Csv => table::write(&mut self.out, document, table::COMMA, number == 1),
            Format::Tsv => table::write(&mut self.out, document, table::TAB, number == 1),
            Format::Conll => match conll::Rows::of(document, &mut lost) {
                Ok(rows) => {
                    if rows.is_empty() {
                        lost.retain(|loss| *loss != Loss::WhiteSpace);
                        lost.push(Loss::EmptyText);
                    }
                    let start = rows.first_token(document.text());
                    self.begin(start).and_then(|()| self.conll.write(&mut self.out, document, &rows))
                }
                Err(problem) => return Err(self.refuse(document, problem)),
            },
            Format::Markdown | Format::Html => {
                let problem = format!("{} is read only; write `jsonl` or `text`", self.format);
                return Err(self.refuse(document, problem));
            }
            Format::SpacyDocbin | Format::Huggingface => match self.write_tokens(document, &mut lost) {
                Ok(written) => written,
                Err(problem) => return Err(self.refuse(document, problem)),
            },
            Format::Text => match text::refusal(document) {
                None => {
                    let start = document.text();
                    self.begin(Some(start)).and_then(|()| text::write(&mut self.out, document))
                }
                Some(problem) => return Err(self.refuse(document, problem)),
            },
        };
        written.map_err(|error| self.failed(error))?;
        self.documents = number;
        lost.sort_unstable();
        lost.dedup();
        for loss in lost {
            self.losses.add(loss, number);
        }
        Ok(())
    }

    fn write_tokens(&mut self, document: &Document, lost: &mut Vec<Loss>) -> Result<io::Result<()>, String> {
        if let Whole::DocBin(writer) = &mut self.whole {
            return writer.write(document, lost).map(Ok);
        }
        let row = huggingface::Tagged::of(document, self.options.scheme, lost)?;
        Ok(match &mut self.whole {
            Whole::Parquet(writer) => writer.write(&row),
            _ => huggingface::write_line(&mut self.out, &row),
        })
    }

    /// What the documents written so far lost.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Completes the output; gives back the stream and what the documents lost.
    ///
    /// # Errors
    /// The output fails.
    pub fn finish(mut self) -> Result<(W, Losses), WriteError> {
        if matches!(self.format, Format::SpacyList | Format::LabelStudio | Format::Argilla) {
            let end: &[u8] = if self.documents == 0 { b"[]\n" } else { b"\n]\n" };
            self.out.write_all(end).map_err(|error| self.failed(error))?;
        }
        let completed = match std::mem::replace(&mut self.whole, Whole::None) {
            Whole::None => Ok(()),
            Whole::DocBin(writer) => writer.finish(&mut self.out),
            Whole::Parquet(writer) => writer.finish(&mut self.out),
        };
        completed.map_err(|error| self.failed(error))?;
        self.out.flush().map_err(|error| self.failed(error))?;
        let Self { out, path, losses, .. } = self;
        let out = out.into_inner().map_err(|error| WriteError::Io { path, error: error.into_error() })?;
        Ok((out, losses))
    }

    /// Before the first text: one that starts with a byte order mark of its own gets the file's mark before it,
    /// because readers take the first mark for that of the file.
    fn begin(&mut self, start: Option<&str>) -> io::Result<()> {
        if let (false, Some(start)) = (self.started, start) {
            self.started = true;
            if start.as_bytes().starts_with(BYTE_ORDER_MARK) {
                self.out.write_all(BYTE_ORDER_MARK)?;
            }
        }
        Ok(())
    }

    /// An element of a JSON list, on a line of its own.
    fn element(&mut self, first: bool, write: impl FnOnce(&mut BufWriter<W>) -> io::Result<()>) -> io::Result<()> {
        self.out.write_all(if first { b"[\n" } else { b",\n" })?;
        write(&mut self.out)
    }

    fn failed(&self, error: io::Error) -> WriteError {
        WriteError::Io { path: self.path.clone(), error }
    }

    fn refuse(&self, document: &Document, problem: String) -> WriteError {
        let number = self.documents + 1;
        let document = document.id.as_ref().map_or_else(|| number.to_string(), |id| format!("{number} (`{id}`)"));
        WriteError::CannotHold { document, format: self.format, problem }
    }
}

impl Writer<Atomic> {
    /// A writer into a file, which appears (or replaces the one of that name) when [`Writer::save`] succeeds.
    ///
    /// # Errors
    /// No file can be made in the folder.
    pub fn create(path: impl AsRef<Path>, format: Format, options: WriteOptions) -> Result<Self, WriteError> {
        let path = path.as_ref();
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let file = temporary(&directory).and_then(|file| Compressor::new(file, path));
        let file = file.map_err(|error| WriteError::Io { path: path.to_owned(), error })?;
        Ok(Self::new(Atomic { file, directory }, path, format, options))
    }

    /// Completes the file, makes it durable and lets it appear under its name.
    ///
    /// # Errors
    /// The output fails; what stood under the name before is untouched.
    pub fn save(self) -> Result<Losses, WriteError> {
        let path = self.path.clone();
        let (Atomic { file, directory }, losses) = self.finish()?;
        let persist = || -> io::Result<()> {
            let file = file.finish()?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&directory)?.sync_all()
        };
        persist().map_err(|error| WriteError::Io { path: path.clone(), error })?;
        Ok(losses)
    }
}

/// A file beside the one to come, with the permissions that a new file gets.
fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nomen-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}
