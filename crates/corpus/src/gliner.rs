//! GLiNER's training data: `{"tokenized_text":[...],"ner":[[start, end, "label"], ...]}`, token indices, end inclusive.
//!
//! The text is the tokens joined by single spaces.

use std::io::{self, Write};

use schema::{Document, Entity, Span};
use serde::Serialize;
use serde_json::Value;

use crate::{
    EntityFault, ReadErrorKind, annotation,
    conll::Rows,
    fields::{self, list, missing, offset, shortened, string, take},
    records::{Place, element},
};

pub(crate) const EXPECTED: &str = "an object such as {\"tokenized_text\": [...], \"ner\": [[start, end, label], ...]}";

pub(crate) fn document(value: Value, place: &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind> {
    let mut example = element(value, EXPECTED)?;
    let words = take(&mut example, "tokenized_text").ok_or_else(|| missing("tokenized_text"))?;
    let (text, tokens) = join(list("tokenized_text", words)?)?;
    let id = fields::take_id(&mut example)?;
    let ner = take(&mut example, "ner");
    let partial = ner.is_none();
    place.report.unannotated += usize::from(partial);
    let mut entities = Vec::new();
    for (at, item) in ner.map_or(Ok(Vec::new()), |ner| list("ner", ner))?.iter().enumerate() {
        entities.push(entity(at, item, &tokens, place)?);
    }
    annotation::refuse_overlaps(&entities)?;
    let mut document = Document::new(text).with_entities(entities)?.with_tokens(tokens)?;
    document.id = id;
    document.partial = partial;
    document.meta = fields::meta(example, "meta", place.report)?;
    Ok(Some(document))
}

fn join(words: Vec<Value>) -> Result<(String, Vec<Span>), ReadErrorKind> {
    let (mut text, mut tokens) = (String::new(), Vec::with_capacity(words.len()));
    for (at, word) in words.into_iter().enumerate() {
        let field = format!("tokenized_text[{at}]");
        let word = string(&field, word)?;
        if at > 0 {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(&word);
        let empty = |_| ReadErrorKind::Field { field, problem: "the token is empty".into() };
        tokens.push(Span::new(start, text.len()).map_err(empty)?);
    }
    Ok((text, tokens))
}

fn entity(at: usize, item: &Value, tokens: &[Span], place: &Place<'_>) -> Result<Entity, ReadErrorKind> {
    let field = || format!("ner[{at}]");
    let [first, last, Value::String(label)] = item.as_array().map_or(&[][..], Vec::as_slice) else {
        let problem = format!("expected [start, end, label], found {}", shortened(item));
        return Err(ReadErrorKind::Field { field: field(), problem });
    };
    let (first, last) = (offset(&field(), first)?, offset(&field(), last)?);
    let label = annotation::label(label, field, place.report)?;
    if first > last || last >= tokens.len() {
        let (start, end, count) = (first, last, tokens.len());
        return Err(EntityFault::Tokens { index: at + 1, label: label.to_string(), start, end, count }.into());
    }
    Ok(Entity::new(tokens[first].join(tokens[last]), label))
}

#[derive(Serialize)]
struct Example<'d> {
    tokenized_text: Vec<&'d str>,
    ner: Vec<(usize, usize, &'d str)>,
}

/// One document as one line.
pub(crate) fn write(out: &mut impl Write, document: &Document, rows: &Rows) -> io::Result<()> {
    let ner = rows.chunks.iter().map(|chunk| (chunk.tokens.start, chunk.tokens.end - 1, chunk.label.as_str()));
    let tokenized_text = rows.tokens.iter().map(|token| token.quote(document.text())).collect();
    serde_json::to_writer(&mut *out, &Example { tokenized_text, ner: ner.collect() })?;
    out.write_all(b"\n")
}
