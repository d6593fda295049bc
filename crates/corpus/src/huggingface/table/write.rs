//! Rows into a Parquet file.

use std::{
    collections::{BTreeSet, HashMap},
    io::{self, BufReader, BufWriter, Read, Seek, Write},
    sync::Arc,
};

use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, Int64Type},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter},
    schema::{parser::parse_message_type, types::TypePtr},
};
use schema::tags::{Scheme, Tag};
use tempfile::SpooledTempFile;

use super::{
    super::{names, row::Tagged},
    DESCRIPTION,
};

/// Most bytes of rows that wait in memory; more wait in a temporary file.
const WAITING: usize = 64 << 20;
/// Tokens of a row group, which is built in memory.
const GROUP: usize = 1 << 18;
/// Levels of a list's element: there is a list, with an element, which is a value.
const ELEMENT: i16 = 3;
/// Level of a list without elements.
const EMPTY: i16 = 1;

/// Collects rows; the file is written at the end, when all labels are known: their numbers follow from their
/// names, so that the files of a data set agree.
pub(crate) struct Writer {
    scheme: Scheme,
    waiting: BufWriter<SpooledTempFile>,
    rows: usize,
    has_id: bool,
    /// Each tag with the number that it has among the waiting rows.
    tags: HashMap<Tag, u32>,
}

impl Writer {
    pub(crate) fn new(scheme: Scheme) -> Self {
        let waiting = BufWriter::new(tempfile::spooled_tempfile(WAITING));
        Self { scheme, waiting, rows: 0, has_id: false, tags: HashMap::new() }
    }

    pub(crate) fn write(&mut self, row: &Tagged<'_>) -> io::Result<()> {
        self.rows += 1;
        self.has_id |= row.id.is_some();
        self.waiting.write_all(&[u8::from(row.id.is_some())])?;
        put(&mut self.waiting, row.id.unwrap_or_default())?;
        self.waiting.write_all(&(row.tokens.len() as u32).to_le_bytes())?;
        for (token, tag) in row.tokens.iter().zip(&row.tags) {
            let next = self.tags.len() as u32;
            let number = match self.tags.get(tag) {
                Some(number) => *number,
                None => *self.tags.entry(tag.clone()).or_insert(next),
            };
            self.waiting.write_all(&number.to_le_bytes())?;
            put(&mut self.waiting, token)?;
        }
        Ok(())
    }

    /// Writes the file.
    pub(crate) fn finish(self, out: &mut impl Write) -> io::Result<()> {
        let labels: BTreeSet<_> =
            self.tags.keys().filter_map(|tag| tag.part().map(|(_, label)| label.clone())).collect();
        let names = names::numbered(&labels, self.scheme);
        let mut numbers = vec![0; self.tags.len()];
        for (number, name) in (0..).zip(&names) {
            if let Some(waiting) = self.tags.get(name) {
                numbers[*waiting as usize] = number;
            }
        }
        let description = names::description(&names, self.has_id);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("nomen".to_owned())
            .set_key_value_metadata(Some(vec![KeyValue::new(DESCRIPTION.to_owned(), description)]))
            .build();
        let schema = columns(self.has_id).map_err(failed)?;
        let packed = tempfile::spooled_tempfile(WAITING);
        let mut file = SerializedFileWriter::new(packed, schema, Arc::new(properties)).map_err(failed)?;
        let mut waiting = self.waiting.into_inner().map_err(io::IntoInnerError::into_error)?;
        waiting.rewind()?;
        let mut waiting = BufReader::new(waiting);
        let mut group = Group::default();
        for row in 0..self.rows {
            group.push(&mut waiting, &numbers)?;
            if group.tokens.len() >= GROUP || row + 1 == self.rows {
                group.write(&mut file, self.has_id).map_err(failed)?;
                group = Group::default();
            }
        }
        let mut packed = file.into_inner().map_err(failed)?;
        packed.rewind()?;
        io::copy(&mut packed, out)?;
        Ok(())
    }
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}

fn columns(with_id: bool) -> Result<TypePtr, ParquetError> {
    let id = if with_id { "optional binary id (STRING);" } else { "" };
    let list = |name: &str, element: &str| {
        format!("optional group {name} (LIST) {{ repeated group list {{ optional {element}; }} }}")
    };
    let (tokens, tags) = (list("tokens", "binary element (STRING)"), list("ner_tags", "int64 element"));
    parse_message_type(&format!("message rows {{ {id} {tokens} {tags} }}")).map(Arc::new)
}

/// Rows that are written together, column by column.
#[derive(Default)]
struct Group {
    ids: Vec<ByteArray>,
    id_levels: Vec<i16>,
    tokens: Vec<ByteArray>,
    tags: Vec<i64>,
    /// For each token, or list without tokens, how much of it there is.
    definitions: Vec<i16>,
    /// The same: 0 where a list begins.
    repetitions: Vec<i16>,
}

impl Group {
    /// Takes the next waiting row.
    fn push(&mut self, waiting: &mut impl Read, numbers: &[i64]) -> io::Result<()> {
        let mut has_id = [0];
        waiting.read_exact(&mut has_id)?;
        let id = take(waiting)?;
        self.id_levels.push(i16::from(has_id[0]));
        if has_id[0] == 1 {
            self.ids.push(id.into());
        }
        let len = take_number(waiting)?;
        if len == 0 {
            self.definitions.push(EMPTY);
            self.repetitions.push(0);
        }
        for at in 0..len {
            self.tags.push(numbers[take_number(waiting)? as usize]);
            self.tokens.push(take(waiting)?.into());
            self.definitions.push(ELEMENT);
            self.repetitions.push(i16::from(at > 0));
        }
        Ok(())
    }

    fn write<W: Write + Send>(self, file: &mut SerializedFileWriter<W>, with_id: bool) -> Result<(), ParquetError> {
        let mut group = file.next_row_group()?;
        let levels = (Some(&self.definitions[..]), Some(&self.repetitions[..]));
        if with_id && let Some(mut column) = group.next_column()? {
            column.typed::<ByteArrayType>().write_batch(&self.ids, Some(&self.id_levels), None)?;
            column.close()?;
        }
        if let Some(mut column) = group.next_column()? {
            column.typed::<ByteArrayType>().write_batch(&self.tokens, levels.0, levels.1)?;
            column.close()?;
        }
        if let Some(mut column) = group.next_column()? {
            column.typed::<Int64Type>().write_batch(&self.tags, levels.0, levels.1)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

fn put(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(&(text.len() as u32).to_le_bytes())?;
    out.write_all(text.as_bytes())
}

fn take_number(input: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn take(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; take_number(input)? as usize];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}
