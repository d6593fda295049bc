//! CSV (RFC 4180) and TSV with named columns.
//!
//! A table with the columns that [`COLUMNS`] names, in that order, is Nomen's own and holds annotations: `entities`, `labels` and `meta` are JSON, as in
//! Nomen JSONL. Any other table holds texts to annotate: the column `text` (or the one the caller names, or the only one),
//! `id` where there is one, and every other column as metadata.
//!
//! Spreadsheets run what starts with `=`, `+`, `-` or `@`. In Nomen's own tables such a cell starts with an apostrophe, which is taken off again when
//! the table is read; offsets count the text without it. Cells of a foreign table are left as they are, and in a foreign TSV
//! quotation marks are text like any other.

use std::{
    io::{self, BufRead as _, Cursor, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use csv::ByteRecord;
use schema::{Document, Meta};
use serde_json::Value;

use crate::{
    ReadErrorKind, ReadOptions, Report,
    error::Fault,
    fields::Object,
    json, jsonl,
    lines::{Input, encoding},
};

/// The columns of Nomen's own tables.
pub(crate) const COLUMNS: [&str; 6] = ["id", "text", "entities", "labels", "complete", "meta"];

/// More bytes than the header of Nomen's own tables has, quoted or not.
const OWN_HEADER: u64 = 100;

pub(crate) const COMMA: u8 = b',';
pub(crate) const TAB: u8 = b'\t';

pub(crate) struct Table<'r> {
    rows: csv::Reader<Metered<Input<'r>>>,
    /// Bytes read since the row before.
    read: Arc<AtomicUsize>,
    options: ReadOptions,
    columns: Option<Columns>,
}

/// What the header says.
struct Columns {
    names: Vec<String>,
    text: usize,
    /// The table was written by Nomen.
    own: bool,
}

impl<'r> Table<'r> {
    /// A table whose cells are separated by `delimiter`; its header tells whether it is Nomen's own.
    pub(crate) fn new(mut input: Input<'r>, delimiter: u8, options: &ReadOptions) -> Result<Self, Fault> {
        let mut header = Vec::new();
        (&mut input).take(OWN_HEADER).read_until(b'\n', &mut header).map_err(|error| Fault::fatal(1, error))?;
        let own = is_own_header(&String::from_utf8_lossy(&header));
        let input: Input<'r> = Box::new(Cursor::new(header).chain(input));
        let read = Arc::new(AtomicUsize::new(0));
        // Several buffers may be ahead of the row that is given.
        let limit = options.limits.document_bytes.saturating_add(1 << 18);
        let metered = Metered { inner: input, read: Arc::clone(&read), limit };
        let quoting = delimiter == COMMA || own;
        let rows =
            csv::ReaderBuilder::new().delimiter(delimiter).quoting(quoting).has_headers(false).from_reader(metered);
        Ok(Self { rows, read, options: options.clone(), columns: None })
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        loop {
            let (line, row) = match self.row() {
                Ok(row) => row?,
                Err(fault) => return Some(Err(fault)),
            };
            match &self.columns {
                Some(columns) => {
                    report.lines = vec![line];
                    return Some(columns.document(&row, line, &self.options, report));
                }
                None => match Columns::find(&row, &self.options) {
                    Ok(columns) => self.columns = Some(columns),
                    Err(kind) => return Some(Err(Fault::fatal(line, kind))),
                },
            }
        }
    }

    /// The next row with its first line.
    fn row(&mut self) -> Result<Option<(usize, ByteRecord)>, Fault> {
        let mut row = ByteRecord::new();
        self.read.store(0, Ordering::Relaxed);
        let before = usize::try_from(self.rows.position().line()).unwrap_or(usize::MAX);
        let found = self.rows.read_byte_record(&mut row);
        let line = row.position().map_or(before, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
        match found {
            Ok(true) => Ok(Some((line, row))),
            Ok(false) => Ok(None),
            Err(error) => Err(fault(error, line, self.options.limits.document_bytes)),
        }
    }
}

/// Whether a text starts with the header of Nomen's own tables.
pub(crate) fn is_own_header(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    is_own(line.split(char::from(COMMA))) || is_own(line.split(char::from(TAB)))
}

fn fault(error: csv::Error, line: usize, limit: usize) -> Fault {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Fault::fatal(line, ReadErrorKind::Limit { what: "the row", limit, unit: "bytes" })
        }
        csv::ErrorKind::Io(error) => Fault::fatal(line, error),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Fault::at(line, ReadErrorKind::Cells { found: len as usize, expected: expected_len as usize })
        }
        other => {
            Fault::fatal(line, ReadErrorKind::Structure { message: format!("the table cannot be read: {other:?}") })
        }
    }
}

fn is_own<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    names.map(|name| name.trim_matches('"')).eq(COLUMNS)
}

impl Columns {
    fn find(header: &ByteRecord, options: &ReadOptions) -> Result<Self, ReadErrorKind> {
        let names: Vec<String> = header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            let problem = "two columns have this name; rename one".to_owned();
            return Err(ReadErrorKind::Field { field: twice.1.clone(), problem });
        }
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let text = match &options.text_field {
            Some(field) => place(field),
            None => place("text").or((names.len() == 1).then_some(0)),
        };
        let Some(text) = text else {
            let wanted = options.text_field.as_deref().unwrap_or("text");
            let found = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let problem = format!(
                "no column of this name; the first line names {found}: say which holds the text (`nomen convert --text-field`)"
            );
            return Err(ReadErrorKind::Field { field: wanted.to_owned(), problem });
        };
        let own = is_own(names.iter().map(String::as_str));
        Ok(Self { names, text, own })
    }

    fn document(
        &self,
        row: &ByteRecord,
        line: usize,
        options: &ReadOptions,
        report: &mut Report,
    ) -> Result<Document, Fault> {
        let mut cells = Vec::with_capacity(row.len());
        for cell in row {
            cells.push(std::str::from_utf8(cell).map_err(|error| Fault::at(line, encoding(error.valid_up_to())))?);
        }
        if self.own {
            return own(&cells, line, options, report);
        }
        let mut document = Document::new(cells[self.text]);
        document.partial = true;
        report.unannotated += 1;
        for (at, (name, cell)) in self.names.iter().zip(&cells).enumerate() {
            if at == self.text || cell.is_empty() {
            } else if name == "id" {
                document.id = Some((*cell).to_owned());
            } else {
                document.meta.insert(name.clone(), Value::String((*cell).to_owned()));
            }
        }
        Ok(document)
    }
}

/// A row of Nomen's own table, read as the line of Nomen JSONL that it stands for.
fn own(cells: &[&str], line: usize, options: &ReadOptions, report: &mut Report) -> Result<Document, Fault> {
    let mut object = Object::new();
    for (name, cell) in COLUMNS.into_iter().zip(cells) {
        let value = match name {
            "text" => Value::String(bare(cell).to_owned()),
            _ if cell.is_empty() => continue,
            "id" => Value::String(bare(cell).to_owned()),
            _ => json::parse(cell, line, options.limits.json_depth)?,
        };
        object.insert(name.to_owned(), value);
    }
    jsonl::document(Value::Object(object), line, options, report).map_err(|kind| Fault::at(line, kind))
}

/// Whether a spreadsheet would run the cell, behind any apostrophes.
fn runs(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// A cell without the apostrophe that keeps a spreadsheet from running it.
fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| runs(rest)).unwrap_or(cell)
}

fn guarded(cell: &str) -> String {
    if runs(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// One document as one row, the header before the first.
pub(crate) fn write(out: &mut impl Write, document: &Document, delimiter: u8, first: bool) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    if first {
        rows.write_record(COLUMNS).map_err(io::Error::other)?;
    }
    let annotated = !document.partial || !document.entities().is_empty();
    let entities = if annotated { serde_json::to_string(&jsonl::written(document, false))? } else { String::new() };
    let labels = document.looked_for.as_ref().map_or(Ok(String::new()), serde_json::to_string)?;
    let meta = if document.meta == Meta::new() { String::new() } else { serde_json::to_string(&document.meta)? };
    let id = guarded(document.id.as_deref().unwrap_or_default());
    let complete = if document.partial { "false" } else { "true" };
    rows.write_record([&id, &guarded(document.text()), &entities, &labels, complete, &meta])
        .map_err(io::Error::other)?;
    out.write_all(&rows.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
}

/// Ends the input where one row takes more than the limit, so that a broken quotation mark cannot fill the memory.
struct Metered<R> {
    inner: R,
    read: Arc<AtomicUsize>,
    limit: usize,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if self.read.fetch_add(count, Ordering::Relaxed) + count > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded_and_comes_back() {
        for cell in ["=cmd()", "+1", "-1", "@x", "\tx", "'=x", "''-x", "'", "''", "'x", "x=1", "", "'\r"] {
            let guarded = guarded(cell);
            assert!(!guarded.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert_eq!(bare(&guarded), cell);
        }
    }
}
