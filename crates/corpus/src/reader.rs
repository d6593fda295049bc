//! Documents out of a file or a stream, one after the other.

use std::{
    io::{self, BufRead, Cursor, Read},
    path::{Path, PathBuf},
};

use schema::{Document, offset::Unit, tags::Scheme};

use crate::{
    Evidence, Format, Limits, ReadError, ReadErrorKind, Report, compression,
    conll::Conll,
    docbin::DocBin,
    error::Fault,
    huggingface::HuggingFace,
    jsonl::Jsonl,
    lines::{BYTE_ORDER_MARK, Input},
    markdown,
    records::{Dialect, Records},
    table::{self, Table},
    text::Text,
    web_page,
    whole_file::WholeFile,
};

/// How much of an input is looked at before the first document is given.
const HEAD: usize = 1 << 20;

/// What the caller knows about an input.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format; detected where it is `None`.
    pub format: Option<Format>,
    /// The tag scheme of CoNLL and Hugging Face rows; concluded from its tags where it is `None`.
    pub scheme: Option<Scheme>,
    /// What the offsets count; the format, and texts that are quoted, say it where it is `None`.
    pub unit: Option<Unit>,
    /// The column of a table, or the field of a tool's task, that holds the text; `text` where it is `None`.
    pub text_field: Option<String>,
    /// The names of the tags of Hugging Face rows, in the order of their numbers; where they are `None`, those that
    /// the file or a `dataset_info.json` beside it tells.
    pub tag_names: Option<Vec<String>>,
    /// Bounds on what is in memory at once.
    pub limits: Limits,
}

/// Documents of a file, one after the other; memory is bounded by the largest of them.
///
/// What cannot be read is an error in the place of the document. Where the format allows (a line, a sentence,
/// an element of a list), the documents behind it still follow, so that one run can list every broken place;
/// a caller that needs all or nothing stops at the first error, as [`read_all`] does.
pub struct Reader<'r> {
    source: Source<'r>,
    report: Report,
    path: PathBuf,
    ended: bool,
}

enum Source<'r> {
    Jsonl(Jsonl<'r>),
    Conll(Box<Conll<'r>>),
    Records(Box<Records<'r>>),
    Table(Box<Table<'r>>),
    DocBin(Box<DocBin<'r>>),
    HuggingFace(Box<HuggingFace<'r>>),
    Text(Text<'r>),
    WholeFile(WholeFile<'r>),
}

impl<'r> Source<'r> {
    /// The source of `head` and then `rest`, in a format that needs no more than these; CoNLL and Hugging Face rows need a look at their tags.
    fn new(format: Format, head: Vec<u8>, rest: Input<'r>, options: &ReadOptions) -> Result<Self, Fault> {
        let input: Input<'r> = Box::new(Cursor::new(head).chain(rest));
        let dialect = match format {
            Format::Jsonl => return Ok(Self::Jsonl(Jsonl::new(input, options))),
            Format::Csv => return Ok(Self::Table(Box::new(Table::new(input, table::COMMA, options)?))),
            Format::Tsv => return Ok(Self::Table(Box::new(Table::new(input, table::TAB, options)?))),
            Format::Markdown => return Ok(Self::WholeFile(WholeFile::new(input, options.limits, markdown::document))),
            Format::Html => return Ok(Self::WholeFile(WholeFile::new(input, options.limits, web_page::document))),
            Format::SpacyDocbin => return Ok(Self::DocBin(Box::new(DocBin::new(input, options.limits)))),
            Format::Text | Format::Conll | Format::Huggingface => {
                return Ok(Self::Text(Text::new(input, options.limits)));
            }
            Format::SpacyList => Dialect::SpacyList,
            Format::Prodigy => Dialect::Prodigy,
            Format::Doccano => Dialect::Doccano,
            Format::LabelStudio => Dialect::LabelStudio,
            Format::Argilla => Dialect::Argilla,
            Format::Gliner => Dialect::Gliner,
        };
        Ok(Self::Records(Box::new(Records::new(&dialect, input, options))))
    }
}

/// Opens a file; it may be compressed with gzip or Zstandard, and the format is detected where it is not given.
///
/// The tag scheme of a CoNLL file is concluded in a first pass over the whole file.
///
/// # Errors
/// The file cannot be opened, is UTF-16, or its format is not recognized.
pub fn open(path: impl AsRef<Path>, format: Option<Format>) -> Result<Reader<'static>, ReadError> {
    open_with(path, &ReadOptions { format, ..ReadOptions::default() })
}

/// Opens a file, with more to say about it than its format.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Reader<'static>, ReadError> {
    let path = path.as_ref();
    let failed = |error: io::Error| Fault::fatal(0, error).in_file(path);
    let mut file = compression::open(path).map_err(failed)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
    // A pipe can be read once only, whatever its name.
    let again = path.is_file() && head.len() == HEAD;
    Reader::new(path, Some(&compression::bare_name(path)), head, file, again, options)
}

/// Reads a stream, such as standard input, that is called `name` in errors.
///
/// The tag scheme of CoNLL is concluded from the first MiB; tags that contradict it later are listed repairs.
///
/// # Errors
/// The stream fails or is UTF-16.
pub fn read<'r>(input: impl BufRead + Send + 'r, name: &str, format: Format) -> Result<Reader<'r>, ReadError> {
    read_with(input, name, &ReadOptions { format: Some(format), ..ReadOptions::default() })
}

/// Reads a stream, with more or less to say about it than its format: where that is not given it is detected
/// from what the stream holds first, at least one line.
///
/// # Errors
/// As [`read`], and when the format is not recognized.
pub fn read_with<'r>(
    input: impl BufRead + Send + 'r,
    name: &str,
    options: &ReadOptions,
) -> Result<Reader<'r>, ReadError> {
    let failed = |error: io::Error| Fault::fatal(0, error).in_file(name);
    let mut input = compression::decompressed(Box::new(input)).map_err(failed)?;
    let mut head = Vec::new();
    if options.format.is_some() {
        (&mut input).take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut head).map_err(failed)?;
    } else {
        // No more than is there: a person may be typing.
        while head.len() < HEAD && !head.contains(&b'\n') {
            let available = input.fill_buf().map_err(failed)?;
            if available.is_empty() {
                break;
            }
            head.extend_from_slice(available);
            let taken = available.len();
            input.consume(taken);
        }
    }
    Reader::new(Path::new(name), None, head, input, false, options)
}

/// All documents of a file and the report on them, or the first error: never a part of a file.
///
/// # Errors
/// As [`open`], and when any place of the file cannot be read.
pub fn read_all(path: impl AsRef<Path>, format: Option<Format>) -> Result<(Vec<Document>, Report), ReadError> {
    let mut reader = open(path, format)?;
    let documents = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((documents, reader.into_report()))
}

impl<'r> Reader<'r> {
    fn new(
        path: &Path,
        named: Option<&Path>,
        mut head: Vec<u8>,
        mut rest: Input<'r>,
        again: bool,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        let failed = |kind: ReadErrorKind| Fault::fatal(0, kind).in_file(path);
        let wide = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
        let (format, evidence) = match options.format {
            Some(format) => (format, Evidence::Given),
            None if wide => return Err(failed(ReadErrorKind::Utf16)),
            None => Format::detect(&head, named).map_err(|error| failed(error.into()))?,
        };
        // A page may have any encoding; it says which.
        if wide && format != Format::Html {
            return Err(failed(ReadErrorKind::Utf16));
        }
        let mut report = Report::new(format, evidence);
        if matches!(format, Format::Conll | Format::Huggingface) && head.len() < HEAD {
            let missing = (HEAD - head.len()) as u64;
            (&mut rest).take(missing).read_to_end(&mut head).map_err(|error| failed(error.into()))?;
        }
        let whole = head.len() < HEAD;
        if head.starts_with(BYTE_ORDER_MARK) {
            report.byte_order_mark = true;
            head.drain(..BYTE_ORDER_MARK.len());
        }
        let source = if format == Format::Conll {
            let again = again.then_some(path);
            let conll = Conll::new(head, whole, rest, again, options, &mut report);
            Source::Conll(Box::new(conll.map_err(|fault| fault.in_file(path))?))
        } else if format == Format::Huggingface {
            let rows = HuggingFace::new(head, whole, rest, named, options, &mut report);
            Source::HuggingFace(Box::new(rows.map_err(|fault| fault.in_file(path))?))
        } else {
            Source::new(format, head, rest, options).map_err(|fault| fault.in_file(path))?
        };
        Ok(Self { source, report, path: path.to_owned(), ended: false })
    }

    /// What was found so far; complete once the reader is at its end.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What was found.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// The lines of the document given last, from 1: one a token where a file has a token a line, else the one where
    /// the document starts. Empty where the format does not tell.
    pub fn lines(&self) -> &[usize] {
        &self.report.lines
    }

    /// The file, or the name of the stream.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Document, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let report = &mut self.report;
        report.lines.clear();
        let next = match &mut self.source {
            Source::Jsonl(source) => source.next(report),
            Source::Conll(source) => source.next(report),
            Source::Records(source) => source.next(report),
            Source::Table(source) => source.next(report),
            Source::DocBin(source) => source.next(report),
            Source::HuggingFace(source) => source.next(report),
            Source::Text(source) => source.next(report),
            Source::WholeFile(source) => source.next(report),
        };
        match next {
            None => {
                self.ended = true;
                None
            }
            Some(Ok(document)) => {
                self.report.count(&document);
                Some(Ok(document))
            }
            Some(Err(fault)) => {
                self.report.errors += 1;
                self.ended = fault.fatal;
                Some(Err(fault.in_file(&self.path)))
            }
        }
    }
}
