//! spaCy's training list, `[[text, {"entities": [[start, end, label], ...]}], ...]`, or such pairs one after the
//! other (one a line). Read element by element; other keys beside `entities` are kept as metadata.

use std::io::{self, BufRead, Write};

use schema::{Document, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Limits, ReadErrorKind, Report,
    annotation::{self, Mention},
    error::Fault,
    json,
    jsonl::{offset, string, wrong},
    lines::{Input, encoding},
};

pub(crate) struct SpacyList<'r> {
    input: Input<'r>,
    limits: Limits,
    line: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Nothing read yet.
    Start,
    /// Before the first element of a list.
    First,
    /// After an element of a list.
    Inside,
    /// Pairs without a list around them.
    Pairs,
    /// After the first bracket of the first of such pairs, already in the buffer.
    FirstPair,
}

impl<'r> SpacyList<'r> {
    pub(crate) fn new(input: Input<'r>, limits: Limits) -> Self {
        Self { input, limits, line: 1, state: State::Start }
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        let element = match self.advance() {
            Ok(true) => self.element(),
            Ok(false) => return None,
            Err(fault) => Err(fault),
        };
        Some(element.and_then(|(line, bytes)| self.document(line, &bytes, report)))
    }

    /// Moves to the first byte of the next element; `false` at the end of the list.
    fn advance(&mut self) -> Result<bool, Fault> {
        if self.state == State::Start {
            match self.peek()? {
                None => return Ok(false),
                Some(b'[') => self.skip(),
                Some(_) => return Err(self.broken("expected a list of [text, {\"entities\": [...]}] pairs")),
            }
            self.state = match self.peek()? {
                Some(b'[' | b']') => State::First,
                Some(b'"') => State::FirstPair,
                Some(b'{') => {
                    return Err(self.broken("expected [text, {\"entities\": [...]}] pairs, found a list of objects"));
                }
                _ => return Err(self.broken("expected [text, {\"entities\": [...]}] pairs")),
            };
            if self.state == State::FirstPair {
                return Ok(true);
            }
        }
        let next = self.peek()?;
        match (self.state, next) {
            (State::Pairs, None) => Ok(false),
            (State::First | State::Inside, Some(b']')) => {
                self.skip();
                match self.peek()? {
                    None => Ok(false),
                    Some(_) => Err(self.broken("expected nothing after the end of the list")),
                }
            }
            (State::Inside, Some(b',')) => {
                self.skip();
                match self.peek()? {
                    Some(b'[') => Ok(true),
                    Some(_) => Err(self.broken("expected a [text, {\"entities\": [...]}] pair after the comma")),
                    None => Err(self.broken("the list is not closed")),
                }
            }
            (State::Inside, Some(_)) => Err(self.broken("expected a comma or the end of the list")),
            (State::First | State::Pairs, Some(b'[')) => Ok(true),
            (_, Some(_)) => Err(self.broken("expected a [text, {\"entities\": [...]}] pair")),
            (_, None) => Err(self.broken("the list is not closed")),
        }
    }

    /// The bytes of the element that starts here, to the bracket that closes it, and its first line.
    fn element(&mut self) -> Result<(usize, Vec<u8>), Fault> {
        let first_line = self.line;
        let mut bytes = Vec::new();
        let mut extent = Extent::default();
        if self.state == State::FirstPair {
            extent.depth = 1;
            bytes.push(b'[');
        }
        self.state = if matches!(self.state, State::Pairs | State::FirstPair) { State::Pairs } else { State::Inside };
        loop {
            let available = self.input.fill_buf().map_err(|error| Fault::fatal(self.line, error))?;
            if available.is_empty() {
                return Err(self.broken("the element is not closed"));
            }
            let end = extent.end(available);
            let taken = end.map_or(available.len(), |last| last + 1);
            if bytes.len() + taken > self.limits.document_bytes {
                let (what, limit) = ("the element", self.limits.document_bytes);
                return Err(Fault::fatal(first_line, ReadErrorKind::Limit { what, limit, unit: "bytes" }));
            }
            bytes.extend_from_slice(&available[..taken]);
            self.line += newlines(&available[..taken]);
            self.input.consume(taken);
            if end.is_some() {
                return Ok((first_line, bytes));
            }
        }
    }

    fn document(&self, line: usize, bytes: &[u8], report: &mut Report) -> Result<Document, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = &bytes[..error.valid_up_to()];
            let column = valid.len() - valid.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            Fault::at(line + newlines(valid), encoding(column))
        })?;
        let value = json::parse(text, line, self.limits.json_depth)?;
        document(value, line, report).map_err(|kind| Fault::at(line, kind))
    }

    /// The next byte that is not white space, still in the input.
    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let available = self.input.fill_buf().map_err(|error| Fault::fatal(self.line, error))?;
            if available.is_empty() {
                return Ok(None);
            }
            let blank = available.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let found = available.get(blank).copied();
            self.line += newlines(&available[..blank]);
            self.input.consume(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn skip(&mut self) {
        self.input.consume(1);
    }

    fn broken(&self, message: &str) -> Fault {
        Fault::fatal(self.line, ReadErrorKind::Structure { message: message.to_owned() })
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// Follows brackets and strings to the end of one JSON value.
#[derive(Default)]
struct Extent {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Extent {
    /// The position of the byte that closes what the first byte of all opened.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                at += bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                self.escaped = bytes[at] == b'\\';
                self.in_string = self.escaped;
            } else {
                match bytes[at] {
                    b'"' => self.in_string = true,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                if self.depth == 0 {
                    return Some(at);
                }
            }
            at += 1;
        }
        None
    }
}

fn document(value: Value, line: usize, report: &mut Report) -> Result<Document, ReadErrorKind> {
    let pair: Result<[Value; 2], Value> = match value {
        Value::Array(items) => items.try_into().map_err(Value::Array),
        other => Err(other),
    };
    let [text, annotations] = pair.map_err(|found| wrong("the element", "[text, {\"entities\": [...]}]", &found))?;
    let text = string("[0] (the text)", text)?;
    let Value::Object(mut annotations) = annotations else {
        return Err(wrong("[1] (the annotations)", "an object {\"entities\": [...]}", &annotations));
    };
    let items = match annotations.shift_remove("entities") {
        Some(Value::Array(items)) => items,
        Some(other) => return Err(wrong("entities", "a list of [start, end, label]", &other)),
        None => {
            let problem = "is missing; a text without entities has an empty list".into();
            return Err(ReadErrorKind::Field { field: "entities".into(), problem });
        }
    };
    let mentions =
        items.iter().enumerate().map(|(at, item)| mention(at, item, report)).collect::<Result<Vec<_>, _>>()?;
    let entities = annotation::entities(&text, mentions, line, report)?;
    for field in annotations.keys() {
        if !report.moved_to_meta.contains(field) {
            report.moved_to_meta.insert(field.clone());
        }
    }
    let mut document = Document::new(text).with_entities(entities)?;
    document.meta = annotations;
    Ok(document)
}

fn mention(at: usize, item: &Value, report: &Report) -> Result<Mention, ReadErrorKind> {
    let field = || format!("entities[{at}]");
    let [start, end, Value::String(label)] = item.as_array().map_or(&[][..], Vec::as_slice) else {
        return Err(ReadErrorKind::Field {
            field: field(),
            problem: format!("expected [start, end, label], found {}", shortened(item)),
        });
    };
    Ok(Mention {
        start: offset(&field(), start)?,
        end: offset(&field(), end)?,
        label: annotation::label(label, field, report)?,
        quote: None,
        score: None,
        source: None,
    })
}

/// A value as text, cut after 60 characters for a message.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}

#[derive(Serialize)]
struct Annotations<'d> {
    entities: Vec<(usize, usize, &'d str)>,
}

/// One document as one element on a line of its own; `first` tells whether a comma must go before it.
pub(crate) fn write(out: &mut impl Write, document: &Document, first: bool) -> io::Result<()> {
    let offsets = Offsets::new(document.text(), Unit::CodePoints);
    let entities = document
        .entities()
        .iter()
        .map(|entity| {
            let (start, end) = offsets.of(entity.span);
            (start, end, entity.label.as_str())
        })
        .collect();
    out.write_all(if first { b"[\n" } else { b",\n" })?;
    serde_json::to_writer(out, &(document.text(), Annotations { entities }))?;
    Ok(())
}

/// The end of the list; `empty` when no element was written.
pub(crate) fn finish(out: &mut impl Write, empty: bool) -> io::Result<()> {
    out.write_all(if empty { b"[]\n" } else { b"\n]\n" })
}
