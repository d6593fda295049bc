//! Label Studio's JSON: a list of tasks, `{"id","data":{"text"},"annotations":[{"result":[{"from_name","to_name","type":"labels",
//! "value":{"start","end","text","labels":["PER"]}}],"was_cancelled","ground_truth"}],"predictions":[{"model_version","score","result"}]}`.
//!
//! Of a task's annotations the ground truth is taken, else the first that was not cancelled; of a task without any, the first
//! prediction, as a partial document whose entities name the model version as their source. What is left is counted.
//! The editor of 1.23 counts code points, a carriage return as one of them; older versions count UTF-16 units, so the quoted
//! text proves the unit; white space in it may have been changed.
//!
//! What the server keeps about a task (times, users, numbers of its own) is not read.

use std::io::{self, Write};

use schema::{Document, Meta, offset::Offsets, offset::Unit};
use serde::Serialize;
use serde_json::Value;

use crate::{
    LeftOut, ReadErrorKind,
    annotation::{self, Counting, Mention},
    fields::{self, Object, list, missing, object, offset, string, take},
    records::{Place, element},
};

pub(crate) const EXPECTED: &str = "a task such as {\"data\": {\"text\": ...}, \"annotations\": [...]}";

const UNITS: [Unit; 2] = [Unit::CodePoints, Unit::Utf16];

pub(crate) fn document(value: Value, place: &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind> {
    let mut task = element(value, EXPECTED)?;
    let mut data = object("data", take(&mut task, "data").ok_or_else(|| missing("data"))?)?;
    let text = take_text(&mut data, place)?;
    let id = fields::take_id(&mut task)?;
    let annotations = take(&mut task, "annotations").or_else(|| take(&mut task, "completions"));
    let annotations = annotations.map_or(Ok(Vec::new()), |value| list("annotations", value))?;
    let predictions = take(&mut task, "predictions").map_or(Ok(Vec::new()), |value| list("predictions", value))?;

    let (mentions, partial) = match chosen(annotations, place)? {
        Some((path, annotation)) => (mentions(&path, annotation, &text, None, place)?, false),
        None => (suggested(predictions, &text, place)?, true),
    };
    place.report.unannotated += usize::from(partial && mentions.is_empty());
    // Versions of today count code points, and quotes show where that is not so; without quotes nothing does.
    let quoted = mentions.iter().all(|mention| mention.quote.is_some());
    let counting = if quoted { Counting::Promised(Unit::CodePoints) } else { Counting::Unsaid(&UNITS) };
    let entities = annotation::entities(&text, mentions, counting, place)?;
    let mut document = Document::new(text).with_entities(entities)?;
    document.partial = partial;
    document.meta = meta(task, data)?;
    // A task's number is the server's; the name that a document had before stands in its metadata.
    document.id = match document.meta.shift_remove(NAME) {
        Some(Value::String(name)) => Some(name),
        _ => id,
    };
    Ok(Some(document))
}

/// Metadata field of a task: the document's name where it is not a number, which Label Studio's own `id` has to be.
const NAME: &str = "document_id";

/// The field of `data` that holds the text: the one the caller named, `text`, or the only string.
fn take_text(data: &mut Object, place: &Place<'_>) -> Result<String, ReadErrorKind> {
    let strings: Vec<&String> = data.iter().filter(|(_, value)| value.is_string()).map(|(key, _)| key).collect();
    let field = match (&place.options.text_field, strings.as_slice()) {
        (Some(field), _) => field.clone(),
        (None, _) if data.contains_key("text") => "text".to_owned(),
        (None, [only]) => (*only).clone(),
        (None, several) => {
            let found = several.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let found = if found.is_empty() { "none".to_owned() } else { found };
            let problem = format!(
                "no field `text`, and of other texts there is not exactly one ({found}); say which it is (`nomen convert --text-field`)"
            );
            return Err(ReadErrorKind::Field { field: "data".into(), problem });
        }
    };
    string(&format!("data.{field}"), take(data, &field).ok_or_else(|| missing(format!("data.{field}")))?)
}

/// The annotation that counts, with its place in the task.
fn chosen(annotations: Vec<Value>, place: &mut Place<'_>) -> Result<Option<(String, Object)>, ReadErrorKind> {
    let mut found: Option<(String, Object)> = None;
    let is = |annotation: &Object, flag: &str| annotation.get(flag) == Some(&Value::Bool(true));
    for (at, annotation) in annotations.into_iter().enumerate() {
        let path = format!("annotations[{at}]");
        let annotation = object(&path, annotation)?;
        if is(&annotation, "was_cancelled") || is(&annotation, "skipped") {
            place.report.leave_out(LeftOut::Cancelled);
            continue;
        }
        let better =
            found.as_ref().is_none_or(|(_, taken)| is(&annotation, "ground_truth") && !is(taken, "ground_truth"));
        if found.is_some() {
            place.report.leave_out(LeftOut::OtherAnnotation);
        }
        if better {
            found = Some((path, annotation));
        }
    }
    Ok(found)
}

/// What Label Studio notes as the version of a prediction that came without one.
const NO_VERSION: &str = "undefined";

/// The mentions of the first prediction that the file holds; the export behind the button holds their numbers only.
fn suggested(predictions: Vec<Value>, text: &str, place: &mut Place<'_>) -> Result<Vec<Mention>, ReadErrorKind> {
    let mut found = None;
    for (at, prediction) in predictions.into_iter().enumerate() {
        if prediction.is_u64() {
            place.report.leave_out(LeftOut::NumberedSuggestion);
        } else if found.is_some() {
            place.report.leave_out(LeftOut::OtherSuggestion);
        } else {
            found = Some((format!("predictions[{at}]"), prediction));
        }
    }
    let Some((path, prediction)) = found else { return Ok(Vec::new()) };
    let mut prediction = object(&path, prediction)?;
    let version = take(&mut prediction, "model_version");
    let version = version.map(|version| string(&format!("{path}.model_version"), version)).transpose()?;
    let version = version.filter(|version| !version.is_empty() && version != NO_VERSION);
    mentions(&path, prediction, text, version.as_deref(), place)
}

fn mentions(
    path: &str,
    mut annotation: Object,
    text: &str,
    source: Option<&str>,
    place: &mut Place<'_>,
) -> Result<Vec<Mention>, ReadErrorKind> {
    let field = format!("{path}.result");
    let results = take(&mut annotation, "result").map_or(Ok(Vec::new()), |results| list(&field, results))?;
    let mut found = Vec::with_capacity(results.len());
    for (at, result) in results.into_iter().enumerate() {
        let path = format!("{field}[{at}]");
        let mut result = object(&path, result)?;
        let is_span = matches!(result.get("type").and_then(Value::as_str), None | Some("labels" | "hypertextlabels"));
        if !is_span {
            place.report.leave_out(LeftOut::NotSpan);
            continue;
        }
        let score = fields::take_score(&mut result, "score", &format!("{path}.score"))?;
        let value = object(
            &format!("{path}.value"),
            take(&mut result, "value").ok_or_else(|| missing(format!("{path}.value")))?,
        )?;
        regions(&path, value, text, score, source, place, &mut found)?;
    }
    Ok(found)
}

/// One mention for each label of a region; more than one are an overlap, which is told behind here.
fn regions(
    path: &str,
    mut value: Object,
    text: &str,
    score: Option<f32>,
    source: Option<&str>,
    place: &Place<'_>,
    found: &mut Vec<Mention>,
) -> Result<(), ReadErrorKind> {
    let path = |field: &str| format!("{path}.value.{field}");
    let mut need = |field: &str| take(&mut value, field).ok_or_else(|| missing(path(field)));
    let (start, end) = (offset(&path("start"), &need("start")?)?, offset(&path("end"), &need("end")?)?);
    let labels = match take(&mut value, "labels").or_else(|| take(&mut value, "hypertextlabels")) {
        Some(labels) => list(&path("labels"), labels)?,
        None => return Err(missing(path("labels"))),
    };
    if labels.is_empty() {
        let problem = "the region has no label; give it one or delete it".to_owned();
        return Err(ReadErrorKind::Field { field: path("labels"), problem });
    }
    let quote = take(&mut value, "text").map(|quote| string(&path("text"), quote)).transpose()?;
    let quote = quote.map(|quote| as_in_text(quote, start, end, text));
    for label in labels {
        let label = annotation::label(&string(&path("labels"), label)?, || path("labels"), place.report)?;
        found.push(Mention { start, end, label, quote: quote.clone(), score, source: source.map(str::to_owned) });
    }
    Ok(())
}

/// The quote with the text's own white space, where that is all that differs: the editor shows line ends and runs of
/// spaces its own way.
fn as_in_text(quote: String, start: usize, end: usize, text: &str) -> String {
    let fits = |unit| {
        let covered = Offsets::new(text, unit).span(start, end).ok()?.quote(text);
        quote.replace("\\n", "\n").split_whitespace().eq(covered.split_whitespace()).then(|| covered.to_owned())
    };
    UNITS.into_iter().find_map(fits).unwrap_or(quote)
}

/// The task's metadata, and what stands beside the text.
fn meta(mut task: Object, data: Object) -> Result<Meta, ReadErrorKind> {
    let mut meta = take(&mut task, "meta").map_or(Ok(Meta::new()), |meta| object("meta", meta))?;
    for (field, value) in data {
        if meta.contains_key(&field) {
            let problem = "stands in `meta` and in `data`; rename one".to_owned();
            return Err(ReadErrorKind::Field { field, problem });
        }
        meta.insert(field, value);
    }
    Ok(meta)
}

#[derive(Serialize)]
struct Task<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    data: Data<'d>,
    #[serde(skip_serializing_if = "Meta::is_empty")]
    meta: Meta,
    annotations: Vec<Annotation<'d>>,
    predictions: Vec<Prediction<'d>>,
}

#[derive(Serialize)]
struct Data<'d> {
    text: &'d str,
}

#[derive(Serialize)]
struct Annotation<'d> {
    result: Vec<Region<'d>>,
    was_cancelled: bool,
    ground_truth: bool,
}

#[derive(Serialize)]
struct Prediction<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model_version: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    result: Vec<Region<'d>>,
}

#[derive(Serialize)]
struct Region<'d> {
    id: String,
    from_name: &'static str,
    to_name: &'static str,
    r#type: &'static str,
    value: Covered<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
}

#[derive(Serialize)]
struct Covered<'d> {
    start: usize,
    end: usize,
    text: &'d str,
    labels: [&'d str; 1],
}

/// One document as one task: an annotation, or a prediction where the document is partial.
pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    let text = document.text();
    let offsets = Offsets::new(text, Unit::CodePoints);
    let regions = document.entities().iter().enumerate().map(|(at, entity)| {
        let (start, end) = offsets.of(entity.span);
        let value = Covered { start, end, text: entity.span.quote(text), labels: [entity.label.as_str()] };
        let score = entity.score.filter(|_| document.partial);
        Region { id: format!("e{at}"), from_name: "label", to_name: "text", r#type: "labels", value, score }
    });
    let result: Vec<Region<'_>> = regions.collect();
    let mut meta = document.meta.clone();
    let id = document.id.as_deref().and_then(|id| id.parse().ok().filter(|number: &u64| number.to_string() == id));
    if let (Some(name), None) = (&document.id, id) {
        meta.insert(NAME.to_owned(), Value::String(name.clone()));
    }
    let mut task = Task { id, data: Data { text }, meta, annotations: Vec::new(), predictions: Vec::new() };
    if !document.partial {
        task.annotations.push(Annotation { result, was_cancelled: false, ground_truth: false });
    } else if let Some(entity) = document.entities().first() {
        let scores = document.entities().iter().filter_map(|entity| entity.score);
        let score = scores.reduce(f32::min);
        task.predictions.push(Prediction { model_version: entity.source.as_deref(), score, result });
    }
    serde_json::to_writer(out, &task)?;
    Ok(())
}
