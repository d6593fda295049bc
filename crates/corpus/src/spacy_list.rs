//! spaCy's training list, `[[text, {"entities": [[start, end, label], ...]}], ...]`, or such pairs one after the
//! other (one a line). Read element by element; other keys beside `entities` are kept as metadata.

use std::io::{self, Write};

use schema::{Document, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::Value;

use crate::{
    ReadErrorKind,
    annotation::{self, Counting, Mention},
    fields::{offset, shortened, string, wrong},
    records::Place,
};

pub(crate) const EXPECTED: &str = "a [text, {\"entities\": [...]}] pair";

pub(crate) fn document(value: Value, place: &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind> {
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
        items.iter().enumerate().map(|(at, item)| mention(at, item, place)).collect::<Result<Vec<_>, _>>()?;
    let entities = annotation::entities(&text, mentions, Counting::Promised(Unit::CodePoints), place)?;
    for field in annotations.keys() {
        if !place.report.moved_to_meta.contains(field) {
            place.report.moved_to_meta.insert(field.clone());
        }
    }
    let mut document = Document::new(text).with_entities(entities)?;
    document.meta = annotations;
    Ok(Some(document))
}

fn mention(at: usize, item: &Value, place: &Place<'_>) -> Result<Mention, ReadErrorKind> {
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
        label: annotation::label(label, field, place.report)?,
        quote: None,
        score: None,
        source: None,
    })
}

#[derive(Serialize)]
struct Annotations<'d> {
    entities: Vec<(usize, usize, &'d str)>,
}

/// One document as one element.
pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    let offsets = Offsets::new(document.text(), Unit::CodePoints);
    let entities = document
        .entities()
        .iter()
        .map(|entity| {
            let (start, end) = offsets.of(entity.span);
            (start, end, entity.label.as_str())
        })
        .collect();
    serde_json::to_writer(out, &(document.text(), Annotations { entities }))?;
    Ok(())
}
