//! Rows as JSON lines.

use std::io::{self, Cursor, Read, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    ID, TAGS, TOKENS,
    row::{Cell, Row, Tagged},
};
use crate::{
    Limits, ReadErrorKind, Report,
    error::Fault,
    fields::wrong,
    json,
    lines::{self, Input},
};

pub(super) struct Lines<'r> {
    lines: lines::Lines<'r>,
    depth: usize,
}

/// The part of `head` that ends with a whole line.
pub(super) fn whole_lines(head: &[u8], whole: bool) -> &[u8] {
    match head.iter().rposition(|byte| *byte == b'\n') {
        Some(end) if !whole => &head[..=end],
        _ => head,
    }
}

impl<'r> Lines<'r> {
    pub(super) fn new(head: Vec<u8>, rest: Input<'r>, limits: Limits) -> Self {
        let input = Box::new(Cursor::new(head).chain(rest));
        Self { lines: lines::Lines::new(input, limits.document_bytes), depth: limits.json_depth }
    }

    /// The next row, with its line.
    pub(super) fn next(&mut self, report: &mut Report) -> Option<(usize, Result<Row, Fault>)> {
        loop {
            let (line, text) = match self.lines.next()? {
                Ok(line) => line,
                Err(fault) => return Some((fault.line, Err(fault))),
            };
            if !text.trim().is_empty() {
                let value = json::parse(text, line, self.depth);
                let row = value.and_then(|value| row(value, report).map_err(|kind| Fault::at(line, kind)));
                return Some((line, row));
            }
        }
    }
}

fn row(value: Value, report: &mut Report) -> Result<Row, ReadErrorKind> {
    let Value::Object(mut object) = value else {
        return Err(wrong("the line", "an object {\"tokens\": [...], \"ner_tags\": [...]}", &value));
    };
    let tokens = list(&mut object, TOKENS, |value| match value {
        Value::String(token) => Ok(token),
        other => Err(wrong(TOKENS, "a list of strings", &other)),
    })?;
    let field = TAGS.into_iter().find(|field| object.contains_key(*field)).unwrap_or(TAGS[0]);
    let tags = list(&mut object, field, |value| match value {
        Value::String(name) => Ok(Cell::Name(name)),
        other => match other.as_i64() {
            Some(number) => Ok(Cell::Number(number)),
            None => Err(wrong(field, "a list of names or numbers of tags", &other)),
        },
    })?;
    let id = match object.shift_remove(ID) {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) => Some(id.to_string()),
        Some(other) => return Err(wrong(ID, "a string or a number", &other)),
    };
    for field in object.keys() {
        if !report.moved_to_meta.contains(field) {
            report.moved_to_meta.insert(field.clone());
        }
    }
    Ok(Row { id, tokens, tags, field, meta: object })
}

fn list<T>(
    object: &mut Map<String, Value>,
    field: &str,
    item: impl Fn(Value) -> Result<T, ReadErrorKind>,
) -> Result<Vec<T>, ReadErrorKind> {
    match object.shift_remove(field) {
        Some(Value::Array(items)) => items.into_iter().map(item).collect(),
        Some(other) => Err(wrong(field, "a list", &other)),
        None => {
            let problem = "is missing; a row has `tokens` and, one for each of them, `ner_tags` (or `tags`)".to_owned();
            Err(ReadErrorKind::Field { field: field.to_owned(), problem })
        }
    }
}

#[derive(Serialize)]
struct Line<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    tokens: &'d [&'d str],
    ner_tags: Vec<String>,
}

/// One row as one line, its tags as names.
pub(crate) fn write(out: &mut impl Write, row: &Tagged<'_>) -> io::Result<()> {
    let ner_tags = row.tags.iter().map(ToString::to_string).collect();
    serde_json::to_writer(&mut *out, &Line { id: row.id, tokens: &row.tokens, ner_tags })?;
    out.write_all(b"\n")
}
