//! Prodigy's JSONL: `{"text","tokens":[{"text","start","end","id"}],"spans":[{"start","end","token_start","token_end","label"}],
//! "meta","answer":"accept"}`. `token_end` is inclusive. Only what was accepted is gold; the rest is counted and left out.

use std::io::{self, Write};

use schema::{Document, Meta, Span, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::Value;

use crate::{
    LeftOut, ReadErrorKind,
    annotation::{self, Counting, Mention},
    fields::{self, Object, list, missing, object, offset, string, take, wrong},
    records::{Place, element},
};

pub(crate) const EXPECTED: &str = "an object such as {\"text\": ..., \"spans\": [...], \"answer\": \"accept\"}";

pub(crate) fn document(value: Value, place: &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind> {
    let mut task = element(value, EXPECTED)?;
    match take(&mut task, "answer").map(|answer| string("answer", answer)).transpose()?.as_deref() {
        None | Some("accept") => {}
        Some("reject") => {
            place.report.leave_out(LeftOut::Rejected);
            return Ok(None);
        }
        Some("ignore") => {
            place.report.leave_out(LeftOut::Ignored);
            return Ok(None);
        }
        Some(other) => {
            let problem = format!("expected `accept`, `reject` or `ignore`, found `{}`", other.escape_debug());
            return Err(ReadErrorKind::Field { field: "answer".into(), problem });
        }
    }
    let text = fields::take_text(&mut task, "text")?;
    let id = fields::take_id(&mut task)?;
    let tokens = take(&mut task, "tokens").map(|tokens| self::tokens(&text, tokens)).transpose()?;
    let spans = take(&mut task, "spans");
    let partial = spans.is_none();
    place.report.unannotated += usize::from(partial);
    let spans = spans.map_or(Ok(Vec::new()), |spans| list("spans", spans))?;
    let mentions =
        spans.into_iter().enumerate().map(|(at, span)| mention(at, span, place)).collect::<Result<_, _>>()?;
    let entities = annotation::entities(&text, mentions, Counting::Promised(Unit::CodePoints), place)?;
    let mut document = Document::new(text).with_entities(entities)?;
    if let Some(tokens) = tokens {
        document = document.with_tokens(tokens)?;
    }
    document.id = id;
    document.partial = partial;
    document.meta = fields::meta(task, "meta", place.report)?;
    Ok(Some(document))
}

fn mention(at: usize, span: Value, place: &Place<'_>) -> Result<Mention, ReadErrorKind> {
    let path = |field: &str| format!("spans[{at}].{field}");
    let mut span = object(&format!("spans[{at}]"), span)?;
    let mut need = |field: &str| take(&mut span, field).ok_or_else(|| missing(path(field)));
    Ok(Mention {
        start: offset(&path("start"), &need("start")?)?,
        end: offset(&path("end"), &need("end")?)?,
        label: annotation::label(&string(&path("label"), need("label")?)?, || path("label"), place.report)?,
        quote: quote(&mut span, &path("text"))?,
        score: fields::take_score(&mut span, "score", &path("score"))?,
        source: take(&mut span, "source").map(|source| string(&path("source"), source)).transpose()?,
    })
}

fn quote(span: &mut Object, path: &str) -> Result<Option<String>, ReadErrorKind> {
    take(span, "text").map(|quote| string(path, quote)).transpose()
}

fn tokens(text: &str, value: Value) -> Result<Vec<Span>, ReadErrorKind> {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let mut found = Vec::new();
    for (at, token) in list("tokens", value)?.into_iter().enumerate() {
        let field = format!("tokens[{at}]");
        let (Some(start), Some(end)) = (token.get("start"), token.get("end")) else {
            return Err(wrong(field, "an object {\"text\", \"start\", \"end\", \"id\"}", &token));
        };
        let span = offsets
            .span(offset(&field, start)?, offset(&field, end)?)
            .map_err(|error| ReadErrorKind::Field { field: field.clone(), problem: error.to_string() })?;
        let quote = token.get("text").and_then(Value::as_str);
        if quote.is_some_and(|quote| quote != span.quote(text)) {
            let problem = format!("its offsets cover {:?} and not its text", span.quote(text));
            return Err(ReadErrorKind::Field { field, problem });
        }
        // Tokenizers of other tools keep runs of white space as tokens; such a token is no word.
        if !span.quote(text).trim().is_empty() {
            found.push(span);
        }
    }
    Ok(found)
}

#[derive(Serialize)]
struct Task<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<Token<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spans: Option<Vec<Written<'d>>>,
    #[serde(skip_serializing_if = "Meta::is_empty")]
    meta: &'d Meta,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
}

#[derive(Serialize)]
struct Token<'d> {
    text: &'d str,
    start: usize,
    end: usize,
    id: usize,
    /// Whether white space follows.
    ws: bool,
}

#[derive(Serialize)]
struct Written<'d> {
    start: usize,
    end: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_end: Option<usize>,
    label: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'d str>,
}

/// One document as one line. A text that nobody annotated is a task without spans and answer.
pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    let text = document.text();
    let offsets = Offsets::new(text, Unit::CodePoints);
    let tokens = document.tokens();
    let annotated = !document.partial || !document.entities().is_empty();
    let token = |(id, span): (usize, &Span)| {
        let (start, end) = offsets.of(*span);
        let ws = text[span.end()..].chars().next().is_some_and(char::is_whitespace);
        Token { text: span.quote(text), start, end, id, ws }
    };
    let spans = document.entities().iter().map(|entity| {
        let (start, end) = offsets.of(entity.span);
        let at = |edge: fn(&Span) -> usize, place| tokens?.binary_search_by_key(&place, edge).ok();
        let (first, last) = (at(|t| t.start(), entity.span.start()), at(|t| t.end(), entity.span.end()));
        // Both or none: an entity that ends inside a token has no last token.
        let (token_start, token_end) = first.zip(last).unzip();
        let (score, source) = (entity.score, entity.source.as_deref());
        Written { start, end, token_start, token_end, label: entity.label.as_str(), score, source }
    });
    let task = Task {
        id: document.id.as_deref(),
        text,
        tokens: tokens.map(|tokens| tokens.iter().enumerate().map(token).collect()),
        spans: annotated.then(|| spans.collect()),
        meta: &document.meta,
        answer: annotated.then_some("accept"),
    };
    serde_json::to_writer(&mut *out, &task)?;
    out.write_all(b"\n")
}
