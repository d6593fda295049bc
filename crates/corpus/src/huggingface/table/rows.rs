//! Rows out of a Parquet file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::{
    errors::ParquetError,
    record::{Field, List, Row as Record, reader::RowIter},
};
use schema::Meta;
use serde_json::{Map, Number, Value};

use super::{
    super::{
        ID, TOKENS,
        row::{Cell, Row},
    },
    open::damaged,
};
use crate::{ReadErrorKind, Report, error::Fault};

/// Rows, one after the other.
pub(in super::super) struct ParquetRows {
    rows: RowIter<'static>,
    tags: &'static str,
    number: usize,
}

impl ParquetRows {
    pub(super) fn new(rows: RowIter<'static>, tags: &'static str) -> Self {
        Self { rows, tags, number: 0 }
    }

    /// The next row, with its number from 1.
    pub(in super::super) fn next(&mut self, report: &mut Report) -> Option<(usize, Result<Row, Fault>)> {
        // Damaged pages are errors mostly, but the crate does not promise that they always are.
        let next = catch_unwind(AssertUnwindSafe(|| self.rows.next()));
        let broken = || ParquetError::General("a page contradicts the description of its column".to_owned());
        let record = next.unwrap_or_else(|_| Some(Err(broken())))?;
        self.number += 1;
        let record = record.map_err(|error| damaged(error.to_string()));
        let row = record.and_then(|record| self.row(record, report));
        // No place to go on from: what stands behind a damaged page is not known.
        Some((self.number, row.map_err(|kind| Fault { fatal: true, ..Fault::record("row", self.number, kind) })))
    }

    fn row(&self, record: Record, report: &mut Report) -> Result<Row, ReadErrorKind> {
        let (mut id, mut tokens, mut tags, mut meta) = (None, None, None, Meta::new());
        for (name, field) in record.into_columns() {
            if name == TOKENS {
                tokens = Some(list(TOKENS, &field, |item| match item {
                    Field::Str(token) => Ok(token.clone()),
                    other => Err(wrong(TOKENS, "strings", other)),
                })?);
            } else if name == self.tags {
                tags = Some(list(self.tags, &field, |item| match (item, number(item)) {
                    (Field::Str(name), _) => Ok(Cell::Name(name.clone())),
                    (_, Some(number)) => Ok(Cell::Number(number)),
                    (other, None) => Err(wrong(self.tags, "names or numbers of tags", other)),
                })?);
            } else if name == ID {
                id = match (&field, number(&field)) {
                    (Field::Null, _) => None,
                    (Field::Str(id), _) => Some(id.clone()),
                    (_, Some(number)) => Some(number.to_string()),
                    (other, None) => return Err(wrong(ID, "a string or a number", other)),
                };
            } else if let Some(value) = json(&field) {
                if !report.moved_to_meta.contains(&name) {
                    report.moved_to_meta.insert(name.clone());
                }
                meta.insert(name, value);
            } else {
                report.leave("columns of dates, bytes and other values that JSON lacks");
            }
        }
        let lost = |field: &str| damaged(format!("the column `{field}` is missing"));
        let tokens = tokens.ok_or_else(|| lost(TOKENS))?;
        Ok(Row { id, tokens, tags: tags.ok_or_else(|| lost(self.tags))?, field: self.tags, meta })
    }
}

fn list<T>(
    name: &str,
    field: &Field,
    item: impl Fn(&Field) -> Result<T, ReadErrorKind>,
) -> Result<Vec<T>, ReadErrorKind> {
    match field {
        Field::ListInternal(list) => List::elements(list).iter().map(item).collect(),
        other => Err(wrong(name, "a list", other)),
    }
}

fn wrong(name: &str, expected: &str, found: &Field) -> ReadErrorKind {
    let found = match found {
        Field::Null => "nothing",
        Field::Str(_) => "text",
        Field::Bytes(_) => "bytes",
        Field::ListInternal(_) => "a list",
        Field::Group(_) | Field::MapInternal(_) => "a group",
        _ => "a value of another type",
    };
    ReadErrorKind::Field { field: name.to_owned(), problem: format!("expected {expected}, found {found}") }
}

fn number(field: &Field) -> Option<i64> {
    match field {
        Field::Byte(value) => Some(i64::from(*value)),
        Field::Short(value) => Some(i64::from(*value)),
        Field::Int(value) => Some(i64::from(*value)),
        Field::Long(value) => Some(*value),
        Field::UByte(value) => Some(i64::from(*value)),
        Field::UShort(value) => Some(i64::from(*value)),
        Field::UInt(value) => Some(i64::from(*value)),
        Field::ULong(value) => i64::try_from(*value).ok(),
        _ => None,
    }
}

/// A value as JSON, `None` where JSON has no such value.
fn json(field: &Field) -> Option<Value> {
    Some(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::Bool(*value),
        Field::Float(value) => Value::Number(Number::from_f64(f64::from(*value))?),
        Field::Double(value) => Value::Number(Number::from_f64(*value)?),
        Field::Str(text) => Value::String(text.clone()),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(json).collect::<Option<_>>()?),
        Field::Group(group) => {
            let values = group.get_column_iter().map(|(name, field)| Some((name.clone(), json(field)?)));
            Value::Object(values.collect::<Option<Map<_, _>>>()?)
        }
        other => match other {
            Field::ULong(value) => (*value).into(),
            other => number(other)?.into(),
        },
    })
}
