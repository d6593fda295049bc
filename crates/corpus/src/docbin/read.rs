//! Documents out of a DocBin.

use std::borrow::Cow;

use schema::{
    Document, Entity, Label, Meta, Span,
    offset::{Offsets, Unit},
};
use serde_json::{Map, Value};

use super::{
    CATS, ID, LINKS, attribute, iob,
    message::{Message, damaged},
    messagepack::{Head, Unpacker, json},
    parse,
};
use crate::{Limits, ReadErrorKind, Report, annotation, error::Fault, lines::Input, tokens};

/// The reader of a DocBin. The whole file is unpacked in memory, up to a limit, when the first document is asked for.
pub(crate) struct DocBin<'r> {
    state: State<'r>,
    limits: Limits,
}

enum State<'r> {
    Unread(Input<'r>),
    Documents { message: Box<Message>, next: usize },
    Ended,
}

impl<'r> DocBin<'r> {
    pub(crate) fn new(input: Input<'r>, limits: Limits) -> Self {
        Self { state: State::Unread(input), limits }
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        if let State::Unread(_) = self.state
            && let State::Unread(input) = std::mem::replace(&mut self.state, State::Ended)
        {
            match parse::read(input, self.limits.whole_file_bytes) {
                Ok(message) => self.state = State::Documents { message: Box::new(message), next: 0 },
                Err(kind) => return Some(Err(Fault::fatal(0, kind))),
            }
        }
        let State::Documents { message, next } = &mut self.state else { return None };
        let at = *next;
        if at == message.len() {
            self.state = State::Ended;
            return None;
        }
        *next += 1;
        let read = Reading { message, limits: self.limits, at, report }.document();
        Some(read.map_err(|kind| Fault::record("document", at + 1, kind)))
    }
}

/// A document that is being read.
struct Reading<'m> {
    message: &'m Message,
    limits: Limits,
    at: usize,
    report: &'m mut Report,
}

/// What the rows tell of the entities.
#[derive(Default)]
struct Found {
    entities: Vec<Entity>,
    links: Vec<Value>,
    /// A word of which nobody said whether it is part of an entity.
    missing: bool,
    /// A word of which somebody said so.
    annotated: bool,
}

impl Reading<'_> {
    fn document(mut self) -> Result<Document, ReadErrorKind> {
        let (text, spans) = self.text()?;
        let words: Vec<Span> = spans.iter().flatten().copied().filter(|span| !is_space(span.quote(&text))).collect();
        let found = self.entities(&text, &spans)?;
        let (id, meta) = self.metadata(found.links)?;
        self.count_what_has_no_place();
        if found.missing && !found.annotated {
            self.report.unannotated += 1;
        }
        let mut document = Document::new(text).with_entities(found.entities)?.with_tokens(words)?;
        document.partial = found.missing;
        document.id = id;
        document.meta = meta;
        Ok(document)
    }

    /// The text, and for each row the token's place in it, `None` for an empty one.
    fn text(&self) -> Result<(String, Vec<Option<Span>>), ReadErrorKind> {
        let unknown_spaces = self.has_unknown_spaces()?;
        let column = self.column(attribute::ORTH)?;
        let rows = self.message.rows(self.at);
        let (mut text, mut spans) = (String::new(), Vec::with_capacity(rows.len()));
        for row in rows.clone() {
            let word = self.string(row, column, "word")?;
            let start = text.len();
            text.push_str(&word);
            spans.push(Span::new(start, text.len()).ok());
            let space = if unknown_spaces { row + 1 < rows.end } else { self.message.space(row) };
            if space {
                text.push(' ');
            }
            if text.len() > self.limits.document_bytes {
                let limit = self.limits.document_bytes;
                return Err(ReadErrorKind::Limit { what: "the text", limit, unit: "bytes" });
            }
        }
        Ok((text, spans))
    }

    fn has_unknown_spaces(&self) -> Result<bool, ReadErrorKind> {
        let flags = self.message.flags(self.at);
        if flags.is_empty() {
            return Ok(false);
        }
        match self.json(flags) {
            Some(Value::Object(flags)) => match flags.get("has_unknown_spaces") {
                None => Ok(false),
                Some(Value::Bool(unknown)) => Ok(*unknown),
                Some(_) => Err(damaged("`has_unknown_spaces` is neither true nor false".to_owned())),
            },
            _ => Err(damaged("its `flags` are no map of flags".to_owned())),
        }
    }

    /// The entities, by spaCy's own rules: an `I` goes on what the last `B` began, whatever its own label.
    fn entities(&mut self, text: &str, spans: &[Option<Span>]) -> Result<Found, ReadErrorKind> {
        let mut found = Found::default();
        let first = self.message.rows(self.at).start;
        let Some(column) = self.message.column(attribute::ENT_IOB) else {
            found.missing = spans.iter().flatten().any(|span| !is_space(span.quote(text)));
            return Ok(found);
        };
        let types = self.message.column(attribute::ENT_TYPE);
        let mut open: Option<(Label, usize, Option<Span>)> = None;
        let mut ended = Vec::new();
        for (token, span) in spans.iter().enumerate() {
            let row = first + token;
            let state = self.message.value(row, column);
            let begins = state == iob::BEGIN && types.is_some_and(|types| self.message.value(row, types) != 0);
            match state {
                iob::INSIDE => {
                    let Some((_, _, extent)) = &mut open else {
                        let (token, problem) = (token + 1, "is inside an entity (ENT_IOB 1) that no token begins");
                        return Err(damaged(format!("token {token} {problem}")));
                    };
                    *extent = join(*extent, *span);
                }
                iob::MISSING | iob::OUTSIDE | iob::BEGIN => {
                    ended.extend(open.take());
                    if let (true, Some(types)) = (begins, types) {
                        let name = self.string(row, types, "label")?;
                        let field = || format!("ENT_TYPE of token {}", token + 1);
                        open = Some((annotation::label(&name, field, self.report)?, row, *span));
                    } else if state == iob::BEGIN {
                        // spaCy's way to say that no entity may be found here.
                        self.report.leave("tokens that are closed to entities (`set_ents` with `blocked`)");
                    }
                }
                other => return Err(damaged(format!("token {} has the ENT_IOB {other}; it can be 0 to 3", token + 1))),
            }
            if span.is_some_and(|span| !is_space(span.quote(text))) {
                *(if state == iob::MISSING { &mut found.missing } else { &mut found.annotated }) = true;
            }
        }
        ended.extend(open);
        let offsets = Offsets::new(text, Unit::CodePoints);
        for (label, row, extent) in ended {
            let Some(span) = extent else {
                return Err(damaged(format!("the entity {label} at token {} has no text", row - first + 1)));
            };
            found.links.extend(self.link(row, offsets.of(span))?);
            found.entities.push(Entity::new(span, label));
        }
        Ok(found)
    }

    /// The link and the id of the entity that begins in a row, where it has one.
    fn link(&self, row: usize, (start, end): (usize, usize)) -> Result<Option<Value>, ReadErrorKind> {
        let mut link = Map::from_iter([("start".to_owned(), start.into()), ("end".to_owned(), end.into())]);
        for (attribute, name) in [(attribute::ENT_KB_ID, "kb_id"), (attribute::ENT_ID, "id")] {
            if let Some(column) = self.message.column(attribute)
                && self.message.value(row, column) != 0
            {
                link.insert(name.to_owned(), self.string(row, column, name)?.into_owned().into());
            }
        }
        Ok((link.len() > 2).then_some(Value::Object(link)))
    }

    /// The document's name and its metadata.
    fn metadata(&mut self, links: Vec<Value>) -> Result<(Option<String>, Meta), ReadErrorKind> {
        let (mut id, mut meta) = (None, Meta::new());
        match self.json(self.message.cats(self.at)) {
            Some(Value::Object(cats)) if cats.is_empty() => {}
            Some(cats @ Value::Object(_)) => drop(meta.insert(CATS.to_owned(), cats)),
            _ => return Err(damaged("its `cats` are no map of values".to_owned())),
        }
        if !links.is_empty() {
            meta.insert(LINKS.to_owned(), Value::Array(links));
        }
        let (fields, whole) = self.user_data();
        let mut whole = whole;
        for (name, value) in fields {
            match value {
                Value::String(name_of_document) if name == ID => id = Some(name_of_document),
                // What the rows say now counts more than what somebody noted earlier.
                _ if meta.contains_key(&name) => whole &= name == LINKS,
                value => drop(meta.insert(name, value)),
            }
        }
        if !whole {
            self.report.leave("user data that is not JSON under a name");
        }
        Ok((id, meta))
    }

    /// The user data under a name, and whether that is all there is.
    ///
    /// An extension attribute of the document (`doc._.NAME`) has the name `_.NAME`.
    fn user_data(&self) -> (Vec<(String, Value)>, bool) {
        let mut fields = Vec::new();
        let outer = self.message.user_data(self.at);
        let mut unpacker = Unpacker::new(outer, outer.len());
        let Ok(Head::Bin(len)) = unpacker.head() else {
            return (fields, outer.is_empty() || matches!(unpacker_of(outer).head(), Ok(Head::Nil)));
        };
        let inner = &outer[outer.len() - len.min(outer.len())..];
        let mut unpacker = unpacker_of(inner);
        let Ok(Head::Map(len)) = unpacker.head() else { return (fields, false) };
        let mut whole = true;
        for _ in 0..len {
            let (mut key, mut value) = (Vec::new(), Vec::new());
            if unpacker.raw_into(&mut key).and_then(|()| unpacker.raw_into(&mut value)).is_err() {
                return (fields, false);
            }
            match (self.json(&key).and_then(name), self.json(&value)) {
                (Some(name), Some(value)) => fields.push((name, value)),
                _ => whole = false,
            }
        }
        (fields, whole)
    }

    fn count_what_has_no_place(&mut self) {
        // A list or a map without elements, or no bytes at all.
        let empty = [&b""[..], b"\xc0", b"\xc4\x00", b"\xc4\x01\x90", b"\xc4\x01\x80"];
        if !empty.contains(&self.message.span_groups(self.at)) {
            self.report.leave("span groups (`doc.spans`)");
        }
        let columns: Vec<usize> = attribute::GRAMMAR.iter().filter_map(|one| self.message.column(*one)).collect();
        let said = |row: usize| columns.iter().any(|column| self.message.value(row, *column) != 0);
        if self.message.rows(self.at).any(said) {
            self.report.leave("lemmas, tags and parses");
        }
    }

    fn json(&self, bytes: &[u8]) -> Option<Value> {
        json(bytes, self.limits.json_depth.min(120), self.limits.document_bytes)
    }

    fn column(&self, attribute: u64) -> Result<usize, ReadErrorKind> {
        self.message.column(attribute).ok_or_else(|| damaged(format!("attribute {attribute} is missing")))
    }

    fn string(&self, row: usize, column: usize, what: &str) -> Result<Cow<'_, str>, ReadErrorKind> {
        let id = self.message.value(row, column);
        self.message.string(id).ok_or_else(|| {
            let token = row - self.message.rows(self.at).start + 1;
            damaged(format!("token {token} has a {what} with the number {id}, which `strings` does not tell"))
        })
    }
}

fn unpacker_of(bytes: &[u8]) -> Unpacker<&[u8]> {
    // Twice the bytes: heads are charged beside what they announce.
    Unpacker::new(bytes, bytes.len() * 2)
}

fn join(extent: Option<Span>, span: Option<Span>) -> Option<Span> {
    match (extent, span) {
        (Some(extent), Some(span)) => Some(extent.join(span)),
        (one, other) => one.or(other),
    }
}

fn is_space(token: &str) -> bool {
    token.chars().all(tokens::is_space)
}

/// The name under which user data stands.
fn name(key: Value) -> Option<String> {
    match key {
        Value::String(name) => Some(name),
        Value::Array(parts) => match &parts[..] {
            [Value::String(mark), Value::String(name), Value::Null, Value::Null] if mark == "._." => {
                Some(format!("_.{name}"))
            }
            _ => None,
        },
        _ => None,
    }
}
