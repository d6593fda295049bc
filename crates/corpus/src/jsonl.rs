//! Nomen JSONL: `{"id","text","entities":[{"start","end","label"}],"meta":{...},"complete":true}`, one a line.
//!
//! Optional: `score`, `source` and the quoted `text` an entity; `labels` (what was looked for); `tokens`, known
//! token boundaries as `[[start, end], ...]`. A line without `entities` is a text that nobody annotated: it is
//! read as partial, so that its words are not taken for negatives. Fields that the format does not know go under
//! `meta` (the report lists them), except those that hold annotations in other tools' formats: these are refused.

use std::io::{self, Write};

use schema::{Document, Entity, Label, Meta, Span, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Format, ReadErrorKind, ReadOptions, Report,
    annotation::{self, Counting, Mention},
    error::Fault,
    fields::{self, Object, missing, offset, string, take, wrong},
    json,
    lines::{Input, Lines},
    records::Place,
};

pub(crate) struct Jsonl<'r> {
    lines: Lines<'r>,
    options: ReadOptions,
}

impl<'r> Jsonl<'r> {
    pub(crate) fn new(input: Input<'r>, options: &ReadOptions) -> Self {
        Self { lines: Lines::new(input, options.limits.document_bytes), options: options.clone() }
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        loop {
            let (line, text) = match self.lines.next()? {
                Ok(line) => line,
                Err(fault) => return Some(Err(fault)),
            };
            if text.trim().is_empty() {
                continue;
            }
            report.lines = vec![line];
            let value = json::parse(text, line, self.options.limits.json_depth);
            return Some(
                value.and_then(|value| {
                    document(value, line, &self.options, report).map_err(|kind| Fault::at(line, kind))
                }),
            );
        }
    }
}

/// The document that a line's object is.
pub(crate) fn document(
    value: Value,
    line: usize,
    options: &ReadOptions,
    report: &mut Report,
) -> Result<Document, ReadErrorKind> {
    let Value::Object(mut object) = value else {
        return Err(wrong("the line", "an object such as {\"text\": ..., \"entities\": [...]}", &value));
    };
    refuse_foreign(&object)?;
    let text = fields::take_text(&mut object, "text")?;
    let id = fields::take_id(&mut object)?;
    let entities = take(&mut object, "entities");
    let partial = match take(&mut object, "complete") {
        None => entities.is_none(),
        Some(Value::Bool(complete)) => !complete,
        Some(other) => return Err(wrong("complete", "true or false", &other)),
    };
    report.unannotated += usize::from(entities.is_none());
    let mentions = match entities {
        None => Vec::new(),
        Some(Value::Array(items)) => {
            items.into_iter().enumerate().map(|(at, item)| mention(at, item, report)).collect::<Result<_, _>>()?
        }
        Some(other) => return Err(wrong("entities", "a list", &other)),
    };
    let looked_for = match take(&mut object, "labels") {
        None => None,
        Some(Value::Array(names)) => {
            let name = |(at, name)| {
                let field = format!("labels[{at}]");
                annotation::label(&string(&field, name)?, || field.clone(), report)
            };
            Some(names.into_iter().enumerate().map(name).collect::<Result<Vec<Label>, _>>()?)
        }
        Some(other) => return Err(wrong("labels", "a list of labels", &other)),
    };
    let tokens = take(&mut object, "tokens").map(|value| tokens(&text, value)).transpose()?;
    let meta = fields::meta(object, "meta", report)?;

    let mut place = Place { line, options, report };
    let entities = annotation::entities(&text, mentions, Counting::Promised(Unit::CodePoints), &mut place)?;
    let mut document = Document::new(text).with_entities(entities)?;
    if let Some(tokens) = tokens {
        document = document.with_tokens(tokens)?;
    }
    document.id = id;
    document.meta = meta;
    document.partial = partial;
    document.looked_for = looked_for;
    Ok(document)
}

fn mention(at: usize, item: Value, report: &Report) -> Result<Mention, ReadErrorKind> {
    let path = |field: &str| format!("entities[{at}].{field}");
    let Value::Object(mut item) = item else {
        return Err(wrong(format!("entities[{at}]"), "an object {\"start\", \"end\", \"label\"}", &item));
    };
    let mut need = |field: &str| take(&mut item, field).ok_or_else(|| missing(path(field)));
    let start = offset(&path("start"), &need("start")?)?;
    let end = offset(&path("end"), &need("end")?)?;
    let label = annotation::label(&string(&path("label"), need("label")?)?, || path("label"), report)?;
    let quote = take(&mut item, "text").map(|quote| string(&path("text"), quote)).transpose()?;
    let source = take(&mut item, "source").map(|source| string(&path("source"), source)).transpose()?;
    let score = fields::take_score(&mut item, "score", &path("score"))?;
    match item.keys().next() {
        None => Ok(Mention { start, end, label, quote, score, source }),
        Some(field) => Err(ReadErrorKind::Field {
            field: path(field),
            problem: "an entity has no such field (start, end, label, text, score, source); move it to `meta`".into(),
        }),
    }
}

fn tokens(text: &str, value: Value) -> Result<Vec<Span>, ReadErrorKind> {
    let Value::Array(items) = value else {
        return Err(wrong("tokens", "a list of [start, end]", &value));
    };
    let offsets = Offsets::new(text, Unit::CodePoints);
    let token = |(at, item): (usize, &Value)| {
        let field = format!("tokens[{at}]");
        let [start, end] = item.as_array().map_or(&[][..], Vec::as_slice) else {
            return Err(wrong(field, "[start, end]", item));
        };
        offsets
            .span(offset(&field, start)?, offset(&field, end)?)
            .map_err(|error| ReadErrorKind::Field { field, problem: error.to_string() })
    };
    items.iter().enumerate().map(token).collect()
}

/// Refuses fields that hold annotations elsewhere: as metadata they would be lost without a word.
fn refuse_foreign(object: &Object) -> Result<(), ReadErrorKind> {
    let list_of = |field: &str, kind: fn(&Value) -> bool| {
        object.get(field).and_then(Value::as_array).is_some_and(|items| items.iter().any(kind))
    };
    let judged = |value: &Value| matches!(value.as_str(), Some("accept" | "reject" | "ignore"));
    let foreign = [
        ("spans", "Prodigy", object.get("spans").is_some_and(Value::is_array)),
        ("tokens", "Prodigy", list_of("tokens", Value::is_object)),
        ("answer", "Prodigy", object.get("answer").is_some_and(judged)),
        ("label", "doccano", object.get("label").is_some_and(Value::is_array)),
        ("labels", "doccano", list_of("labels", Value::is_array)),
        ("relations", "doccano", object.get("relations").is_some_and(Value::is_array)),
        ("annotations", "Label Studio", object.get("annotations").is_some_and(Value::is_array)),
        ("predictions", "Label Studio", object.get("predictions").is_some_and(Value::is_array)),
        ("responses", "Argilla", object.contains_key("responses")),
        ("suggestions", "Argilla", object.contains_key("suggestions")),
        ("ner_tags", "a Hugging Face data set", object.contains_key("ner_tags")),
        ("tokenized_text", "GLiNER", object.contains_key("tokenized_text")),
    ];
    match foreign.into_iter().find(|(_, _, present)| *present) {
        None => Ok(()),
        Some((field, tool, _)) => Err(ReadErrorKind::Foreign { field: field.into(), read_as: Format::Jsonl, tool }),
    }
}

#[derive(Serialize)]
struct Line<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    text: &'d str,
    entities: Vec<Written<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<(usize, usize)>>,
    #[serde(skip_serializing_if = "Meta::is_empty")]
    meta: &'d Meta,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'d [Label]>,
    complete: bool,
}

#[derive(Serialize)]
pub(crate) struct Written<'d> {
    start: usize,
    end: usize,
    label: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'d str>,
}

/// The document's entities as the format has them; `quote` adds the text that each covers.
pub(crate) fn written(document: &Document, quote: bool) -> Vec<Written<'_>> {
    let offsets = Offsets::new(document.text(), Unit::CodePoints);
    let rows = document.entities().iter().map(|Entity { span, label, score, source }| {
        let (start, end) = offsets.of(*span);
        let text = quote.then(|| span.quote(document.text()));
        Written { start, end, label: label.as_str(), text, score: *score, source: source.as_deref() }
    });
    rows.collect()
}

/// One document as one line; `quote` adds the text that each entity covers.
pub(crate) fn write(out: &mut impl Write, document: &Document, quote: bool) -> io::Result<()> {
    let tokens = document.tokens().map(|tokens| {
        let offsets = Offsets::new(document.text(), Unit::CodePoints);
        tokens.iter().map(|token| offsets.of(*token)).collect()
    });
    let line = Line {
        id: document.id.as_deref(),
        text: document.text(),
        entities: written(document, quote),
        tokens,
        meta: &document.meta,
        labels: document.looked_for.as_deref(),
        complete: !document.partial,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
