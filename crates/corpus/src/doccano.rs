//! doccano's JSONL: `{"id","text","label":[[start, end, "L"], ...]}` (also `labels`), and of projects with relations
//! `{"id","text","entities":[{"id","label","start_offset","end_offset"}],"relations":[...]}`.
//!
//! Nothing is quoted. The server of 1.8 keeps the offsets that it is given, and an automatic labeller of it counts code points;
//! its editor counts UTF-16 units, or grapheme clusters in a project that was made to count those, and nothing in the export
//! shows which. A text in which two of them are possible and mean different spans is refused unless the caller says which it
//! is. Clusters cannot be named: where they end has changed from one version of Unicode to the next, so that what an editor
//! counted cannot be counted again for certain.

use std::io::{self, Write};

use schema::{Document, Entity, Meta, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{
    EntityFault, ReadErrorKind,
    annotation::{self, Counting, Mention},
    fields::{self, Object, list, missing, object, offset, shortened, string, take},
    records::{Place, element},
};

pub(crate) const EXPECTED: &str = "an object such as {\"text\": ..., \"label\": [[start, end, label], ...]}";

/// Metadata field: the relations of a project that has them, as they came.
const RELATIONS: &str = "relations";

pub(crate) fn document(value: Value, place: &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind> {
    let mut example = element(value, EXPECTED)?;
    let text_field = if example.contains_key("data") && !example.contains_key("text") { "data" } else { "text" };
    let text = fields::take_text(&mut example, text_field)?;
    let id = fields::take_id(&mut example)?;
    let mentions = mentions(&mut example, place)?;
    let partial = mentions.is_none();
    place.report.unannotated += usize::from(partial);
    let counting = Counting::Unsaid(&[Unit::CodePoints, Unit::Utf16]);
    let mentions = mentions.unwrap_or_default();
    let claims: Vec<(usize, usize)> = mentions.iter().map(|mention| (mention.start, mention.end)).collect();
    let entities = annotation::entities(&text, mentions, counting, place)?;
    if place.options.unit.is_none() && could_count_clusters(&text, &claims, &entities) {
        return Err(EntityFault::Clusters.into());
    }
    let mut document = Document::new(text).with_entities(entities)?;
    document.id = id;
    document.partial = partial;
    // doccano writes both fields into every line of some exports, mostly empty.
    for field in ["Comments", RELATIONS] {
        if example.get(field).is_some_and(|value| value.as_array().is_some_and(Vec::is_empty)) {
            example.shift_remove(field);
        }
    }
    document.meta = fields::meta(example, "meta", place.report)?;
    Ok(Some(document))
}

/// Whether the offsets could count grapheme clusters as well, and mean other spans than those of the entities then.
fn could_count_clusters(text: &str, claims: &[(usize, usize)], entities: &[Entity]) -> bool {
    let mut starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    starts.push(text.len());
    let mut differs = false;
    let fits = claims.iter().zip(entities).all(|((start, end), entity)| {
        let span = starts.get(*start).zip(starts.get(*end));
        differs |= span.is_some_and(|(start, end)| (*start, *end) != (entity.span.start(), entity.span.end()));
        span.is_some()
    });
    fits && differs
}

/// The mentions of an example; `None` where it has none of the fields that hold them.
fn mentions(example: &mut Object, place: &Place<'_>) -> Result<Option<Vec<Mention>>, ReadErrorKind> {
    let mut found = None;
    for field in ["label", "labels", "entities"] {
        let Some(value) = take(example, field) else { continue };
        if found.is_some() {
            let problem = "stands beside another field of annotations; keep one of them".to_owned();
            return Err(ReadErrorKind::Field { field: field.to_owned(), problem });
        }
        let items = list(field, value)?.into_iter().enumerate();
        let mention = |(at, item)| mention(&format!("{field}[{at}]"), item, place);
        found = Some(items.map(mention).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

fn mention(path: &str, item: Value, place: &Place<'_>) -> Result<Mention, ReadErrorKind> {
    let (start, end, label) = match item {
        Value::Array(items) => {
            let [start, end, Value::String(label)] = items.as_slice() else {
                let problem = format!("expected [start, end, label], found {}", shortened(&Value::Array(items)));
                return Err(ReadErrorKind::Field { field: path.to_owned(), problem });
            };
            (offset(path, start)?, offset(path, end)?, label.clone())
        }
        item => {
            let mut item = object(path, item)?;
            let path = |field: &str| format!("{path}.{field}");
            let mut need = |field: &str| take(&mut item, field).ok_or_else(|| missing(path(field)));
            let start = offset(&path("start_offset"), &need("start_offset")?)?;
            let end = offset(&path("end_offset"), &need("end_offset")?)?;
            (start, end, string(&path("label"), need("label")?)?)
        }
    };
    let label = annotation::label(&label, || path.to_owned(), place.report)?;
    Ok(Mention { start, end, label, quote: None, score: None, source: None })
}

#[derive(Serialize)]
struct Example<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'d str>,
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Vec<(usize, usize, &'d str)>>,
    #[serde(skip_serializing_if = "Meta::is_empty")]
    meta: &'d Meta,
}

/// One document as one line. A text that nobody annotated has no `label`.
pub(crate) fn write(out: &mut impl Write, document: &Document, unit: Unit) -> io::Result<()> {
    let offsets = Offsets::new(document.text(), unit);
    let annotated = !document.partial || !document.entities().is_empty();
    let rows = document.entities().iter().map(|entity| {
        let (start, end) = offsets.of(entity.span);
        (start, end, entity.label.as_str())
    });
    let example = Example {
        id: document.id.as_deref(),
        text: document.text(),
        label: annotated.then(|| rows.collect()),
        meta: &document.meta,
    };
    serde_json::to_writer(&mut *out, &example)?;
    out.write_all(b"\n")
}
