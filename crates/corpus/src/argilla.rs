//! Argilla's records: `{"id","fields":{"text"},"metadata","responses","suggestions","status"}`, where the answers to the span question are
//! `[{"user_id","value":[{"start","end","label"}],"status"}]`, by question (`{"entities": [...]}`) or, in older exports, under `values`.
//!
//! Of the responses the first that was submitted is taken; of a record without any, the suggestion, as a partial document whose
//! entities name the agent as their source. What is left is counted.

use std::io::{self, Write};

use schema::{Document, Entity, Meta, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    LeftOut, ReadErrorKind,
    annotation::{self, Counting, Mention},
    fields::{self, Object, list, missing, object, offset, string, take, wrong},
    records::{Place, element},
};

pub(crate) const EXPECTED: &str = "a record such as {\"fields\": {\"text\": ...}, \"responses\": ...}";

/// The question that spans answer, where we name it.
const QUESTION: &str = "entities";
/// The user of responses that we write; Argilla needs one.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

pub(crate) fn document(value: Value, place: &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind> {
    let mut record = element(value, EXPECTED)?;
    let field = place.options.text_field.as_deref().unwrap_or("text");
    let text = match take(&mut record, "fields") {
        Some(fields) => fields::take_text(&mut object("fields", fields)?, field)?,
        None => fields::take_text(&mut record, field)?,
    };
    let id = fields::take_id(&mut record)?;
    let responses = answers("responses", take(&mut record, "responses"))?;
    let suggestions = answers("suggestions", take(&mut record, "suggestions"))?;
    let (mentions, partial) = match submitted(responses, place)? {
        Some(mentions) => (mentions, false),
        None => (suggested(suggestions, place)?, true),
    };
    place.report.unannotated += usize::from(partial && mentions.is_empty());
    let entities = annotation::entities(&text, mentions, Counting::Promised(Unit::CodePoints), place)?;
    let mut document = Document::new(text).with_entities(entities)?;
    document.id = id;
    document.partial = partial;
    // What the server keeps about the record and nothing of what somebody said about the text.
    for field in ["status", "vectors", "_server_id", "external_id", "inserted_at", "updated_at"] {
        record.shift_remove(field);
    }
    document.meta = fields::meta(record, "metadata", place.report)?;
    Ok(Some(document))
}

/// The answers to all questions, each with its place: a list of answers, or lists (or single answers) by question.
fn answers(field: &str, value: Option<Value>) -> Result<Vec<(String, Object)>, ReadErrorKind> {
    let mut found = Vec::new();
    match value {
        None => {}
        Some(Value::Array(items)) => {
            for (at, item) in items.into_iter().enumerate() {
                let path = format!("{field}[{at}]");
                found.push((path.clone(), object(&path, item)?));
            }
        }
        Some(Value::Object(questions)) => {
            for (question, items) in questions {
                let path = format!("{field}.{question}");
                match items {
                    Value::Array(_) => found.extend(answers(&path, Some(items))?),
                    Value::Null => {}
                    item => found.push((path.clone(), object(&path, item)?)),
                }
            }
        }
        Some(other) => return Err(wrong(field, "a list or an object", &other)),
    }
    Ok(found)
}

/// The spans of an answer; `None` where it answers another kind of question.
fn spans(path: &str, answer: &mut Object) -> Result<Option<(String, Vec<Value>)>, ReadErrorKind> {
    let is_spans =
        |value: &Value| value.as_array().is_some_and(|items| items.iter().all(|item| item.get("start").is_some()));
    if let Some(values) = take(answer, "values") {
        // The older shape: {"values": {"question": {"value": [...]}}}.
        for (question, mut answer) in object(&format!("{path}.values"), values)? {
            let value = answer.get_mut("value").map(Value::take);
            if let Some(value) = value.filter(is_spans) {
                let path = format!("{path}.values.{question}.value");
                return Ok(Some((path.clone(), list(&path, value)?)));
            }
        }
        return Ok(None);
    }
    let path = format!("{path}.value");
    take(answer, "value").filter(is_spans).map(|value| Ok((path.clone(), list(&path, value)?))).transpose()
}

fn submitted(responses: Vec<(String, Object)>, place: &mut Place<'_>) -> Result<Option<Vec<Mention>>, ReadErrorKind> {
    let mut found = None;
    for (path, mut response) in responses {
        let status = take(&mut response, "status");
        if status.is_some_and(|status| status.as_str() != Some("submitted")) {
            place.report.leave_out(LeftOut::Unsubmitted);
            continue;
        }
        match spans(&path, &mut response)? {
            None => place.report.leave_out(LeftOut::NotSpan),
            Some(_) if found.is_some() => place.report.leave_out(LeftOut::OtherAnnotation),
            Some((path, items)) => found = Some(mentions(&path, items, None, &[], place)?),
        }
    }
    Ok(found)
}

fn suggested(suggestions: Vec<(String, Object)>, place: &mut Place<'_>) -> Result<Vec<Mention>, ReadErrorKind> {
    let mut found = None;
    for (path, mut suggestion) in suggestions {
        let agent = take(&mut suggestion, "agent").map(|agent| string(&format!("{path}.agent"), agent)).transpose()?;
        let scores = match take(&mut suggestion, "score") {
            Some(Value::Array(scores)) => scores,
            Some(score) => vec![score],
            None => Vec::new(),
        };
        match spans(&path, &mut suggestion)? {
            None => place.report.leave_out(LeftOut::NotSpan),
            Some(_) if found.is_some() => place.report.leave_out(LeftOut::OtherSuggestion),
            Some((path, items)) => found = Some(mentions(&path, items, agent.as_deref(), &scores, place)?),
        }
    }
    Ok(found.unwrap_or_default())
}

/// `scores` are one for all mentions, one each, or none.
fn mentions(
    path: &str,
    items: Vec<Value>,
    source: Option<&str>,
    scores: &[Value],
    place: &Place<'_>,
) -> Result<Vec<Mention>, ReadErrorKind> {
    if scores.len() > 1 && scores.len() != items.len() {
        let problem = format!("{} scores for {} spans", scores.len(), items.len());
        return Err(ReadErrorKind::Field { field: path.to_owned(), problem });
    }
    let mention = |(at, item)| {
        let path = format!("{path}[{at}]");
        let mut item = object(&path, item)?;
        let field = |field: &str| format!("{path}.{field}");
        let mut need = |name: &str| take(&mut item, name).ok_or_else(|| missing(field(name)));
        let (start, end) = (offset(&field("start"), &need("start")?)?, offset(&field("end"), &need("end")?)?);
        let label = annotation::label(&string(&field("label"), need("label")?)?, || field("label"), place.report)?;
        let quote = take(&mut item, "text").map(|quote| string(&field("text"), quote)).transpose()?;
        let score = if scores.len() == 1 { scores.first() } else { scores.get(at) };
        let score = score.map(|score| fields::score(score, &field("score"))).transpose()?;
        Ok(Mention { start, end, label, quote, score, source: source.map(str::to_owned) })
    };
    items.into_iter().enumerate().map(mention).collect()
}

#[derive(Serialize)]
struct Record<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    fields: Fields<'d>,
    metadata: &'d Meta,
    suggestions: Value,
    responses: Value,
}

#[derive(Serialize)]
struct Fields<'d> {
    text: &'d str,
}

/// One document as one element: a response, or a suggestion where the document is partial.
pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    let offsets = Offsets::new(document.text(), Unit::CodePoints);
    let span = |entity: &Entity| {
        let (start, end) = offsets.of(entity.span);
        json!({"start": start, "end": end, "label": entity.label.as_str()})
    };
    let value: Vec<Value> = document.entities().iter().map(span).collect();
    let (mut suggestions, mut responses) = (json!({}), json!({}));
    if !document.partial {
        responses = json!({QUESTION: [{"user_id": NOBODY, "value": value, "status": "submitted"}]});
    } else if let Some(first) = document.entities().first() {
        let scores: Option<Vec<f32>> = document.entities().iter().map(|entity| entity.score).collect();
        suggestions = json!({QUESTION: {"value": value, "score": scores, "agent": first.source}});
    }
    let record = Record {
        id: document.id.as_deref(),
        fields: Fields { text: document.text() },
        metadata: &document.meta,
        suggestions,
        responses,
    };
    serde_json::to_writer(out, &record)?;
    Ok(())
}
