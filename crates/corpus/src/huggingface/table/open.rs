//! A Parquet file, looked through before its rows are read.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    thread,
};

use parquet::{
    file::{
        metadata::{ParquetMetaData, RowGroupMetaData},
        reader::{FileReader, SerializedFileReader},
    },
    record::reader::RowIter,
};

use super::{
    super::{MAGIC, TAGS, TOKENS, names::Names},
    DESCRIPTION,
    chunks::Chunks,
    pages,
    rows::ParquetRows,
};
use crate::{Format, Limits, ReadErrorKind, error::Fault, lines::Input};

/// Most bytes of the description at the end of the file.
const FOOTER: u32 = 2 << 20;
/// A stack for any nesting that a description of that size can have: the crate reads it by recursion.
const STACK: usize = 1 << 30;
/// Most levels of nested columns.
const DEPTH: usize = 64;

/// A Parquet file of rows.
pub(in super::super) struct Table {
    file: File,
    description: Option<String>,
    tags: &'static str,
}

impl Table {
    /// The file that `head` begins and `rest` ends. The input is copied to a temporary file, because the description
    /// of a Parquet file stands at its end.
    pub(in super::super) fn new(head: &[u8], mut rest: Input<'_>, limits: Limits) -> Result<Self, ReadErrorKind> {
        let limit = limits.whole_file_bytes;
        let mut file = tempfile::tempfile()?;
        file.write_all(head)?;
        let room = (limit as u64).saturating_add(1);
        let copied = io::copy(&mut (&mut rest).take(room), &mut file)?;
        if copied.saturating_add(head.len() as u64) > limit as u64 {
            return Err(ReadErrorKind::Limit { what: "the file", limit, unit: "bytes" });
        }
        check_footer(&mut file)?;
        let handle = file.try_clone()?;
        let look = move || look_through(handle, limit);
        let thread = thread::Builder::new().stack_size(STACK).spawn(look)?;
        let (description, tags) = thread.join().map_err(|_| damaged("its description contradicts itself"))??;
        Ok(Self { file, description, tags })
    }

    /// The names of the tags, where the file tells them.
    pub(in super::super) fn names(&self) -> Result<Option<Names>, ReadErrorKind> {
        let Some(text) = &self.description else { return Ok(None) };
        let description: serde_json::Value = serde_json::from_str(text).map_err(|error| {
            damaged(format!("the entry `{DESCRIPTION}` of its metadata, which may name the tags, is no JSON: {error}"))
        })?;
        Names::of(&description["info"]["features"])
    }

    /// The rows, from the first.
    pub(in super::super) fn rows(&self) -> Result<ParquetRows, Fault> {
        let fatal = |kind: ReadErrorKind| Fault::fatal(0, kind);
        let file = self.file.try_clone().map_err(|error| fatal(error.into()))?;
        let reader = SerializedFileReader::new(Chunks(file)).map_err(|error| fatal(damaged(error.to_string())))?;
        Ok(ParquetRows::new(RowIter::from_file_into(Box::new(reader)), self.tags))
    }
}

pub(super) fn damaged(problem: impl Into<String>) -> ReadErrorKind {
    ReadErrorKind::Damaged { read_as: Format::Huggingface, problem: format!("Parquet: {}", problem.into()) }
}

/// The file ends with its description, the length of that, and the mark.
fn check_footer(file: &mut File) -> Result<(), ReadErrorKind> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut end = [0; 8];
    if size < 12 {
        return Err(damaged("it is cut off"));
    }
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut end)?;
    let (length, mark) = end.split_at(4);
    if mark != MAGIC {
        return Err(damaged("it is cut off, or encrypted: the mark `PAR1` at its end is missing"));
    }
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
    if length > FOOTER {
        return Err(ReadErrorKind::Limit { what: "its description", limit: FOOTER as usize, unit: "bytes" });
    }
    Ok(())
}

/// What the metadata says of the columns, and which column has the tags.
fn look_through(file: File, limit: usize) -> Result<(Option<String>, &'static str), ReadErrorKind> {
    let pages_of = file.try_clone()?;
    let reader = SerializedFileReader::new(Chunks(file)).map_err(|error| damaged(error.to_string()))?;
    let metadata = reader.metadata();
    check_columns(metadata, limit)?;
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        pages::check(&pages_of, column)?;
    }
    let columns = metadata.file_metadata().schema_descr();
    let has = |field: &str| columns.columns().iter().any(|column| column.path().parts()[0] == field);
    let missing = |field: &str| ReadErrorKind::Field {
        field: field.to_owned(),
        problem: "is missing; a row has `tokens` and, one for each of them, `ner_tags` (or `tags`)".to_owned(),
    };
    if !has(TOKENS) {
        return Err(missing(TOKENS));
    }
    let tags = TAGS.into_iter().find(|field| has(field)).ok_or_else(|| missing(TAGS[0]))?;
    let entries = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let description = entries.filter(|entry| entry.key == DESCRIPTION).find_map(|entry| entry.value.clone());
    Ok((description, tags))
}

fn check_columns(metadata: &ParquetMetaData, limit: usize) -> Result<(), ReadErrorKind> {
    let columns = metadata.file_metadata().schema_descr();
    if columns.columns().iter().any(|column| column.path().parts().len() > DEPTH) {
        return Err(ReadErrorKind::Limit { what: "the nesting of its columns", limit: DEPTH, unit: "levels" });
    }
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let places =
            [column.data_page_offset(), column.dictionary_page_offset().unwrap_or(0), column.compressed_size()];
        if places.iter().any(|place| *place < 0) {
            return Err(damaged("a column lies before the beginning of the file"));
        }
        if usize::try_from(column.uncompressed_size()).is_ok_and(|size| size > limit) {
            return Err(ReadErrorKind::Limit { what: "a column, unpacked,", limit, unit: "bytes" });
        }
    }
    Ok(())
}
