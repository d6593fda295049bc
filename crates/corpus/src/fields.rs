//! Fields of JSON objects, with errors that name them.

use schema::Meta;
use serde_json::{Map, Value};

use crate::{ReadErrorKind, Report, json::kind_of};

/// An object's fields.
pub(crate) type Object = Map<String, Value>;

pub(crate) fn wrong(field: impl Into<String>, expected: &str, found: &Value) -> ReadErrorKind {
    ReadErrorKind::Field { field: field.into(), problem: format!("expected {expected}, found {}", kind_of(found)) }
}

pub(crate) fn missing(field: impl Into<String>) -> ReadErrorKind {
    ReadErrorKind::Field { field: field.into(), problem: "is missing".into() }
}

/// Takes a field out of an object; `null` counts as absent.
pub(crate) fn take(object: &mut Object, field: &str) -> Option<Value> {
    object.shift_remove(field).filter(|value| !value.is_null())
}

pub(crate) fn string(field: &str, value: Value) -> Result<String, ReadErrorKind> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong(field, "a string", &other)),
    }
}

pub(crate) fn list(field: &str, value: Value) -> Result<Vec<Value>, ReadErrorKind> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(wrong(field, "a list", &other)),
    }
}

pub(crate) fn object(field: &str, value: Value) -> Result<Object, ReadErrorKind> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(wrong(field, "an object", &other)),
    }
}

/// An offset: a whole number, 0 or more.
pub(crate) fn offset(field: &str, value: &Value) -> Result<usize, ReadErrorKind> {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| match value {
        Value::Number(number) => ReadErrorKind::Field {
            field: field.to_owned(),
            problem: format!("expected an offset (a whole number, 0 or more), found {number}"),
        },
        other => wrong(field, "an offset (a whole number, 0 or more)", other),
    })
}

/// Takes the text that is called `field`.
pub(crate) fn take_text(object: &mut Object, field: &str) -> Result<String, ReadErrorKind> {
    string(field, take(object, field).ok_or_else(|| missing(field))?)
}

/// Takes a document's name, which may be a number.
pub(crate) fn take_id(object: &mut Object) -> Result<Option<String>, ReadErrorKind> {
    match take(object, "id") {
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(id)),
        Some(Value::Number(id)) => Ok(Some(id.to_string())),
        Some(other) => Err(wrong("id", "a string or a number", &other)),
    }
}

/// Takes the score of an entity, between 0 and 1.
pub(crate) fn take_score(object: &mut Object, field: &str, path: &str) -> Result<Option<f32>, ReadErrorKind> {
    take(object, field).map(|value| score(&value, path)).transpose()
}

/// A score between 0 and 1.
pub(crate) fn score(value: &Value, path: &str) -> Result<f32, ReadErrorKind> {
    match value.as_f64() {
        Some(score) if (0.0..=1.0).contains(&score) => Ok(score as f32),
        _ => {
            let problem = format!("expected a number between 0 and 1, found {value}");
            Err(ReadErrorKind::Field { field: path.to_owned(), problem })
        }
    }
}

/// The field called `name` together with every field that is left, which the format does not know.
pub(crate) fn meta(mut object: Object, name: &str, report: &mut Report) -> Result<Meta, ReadErrorKind> {
    let mut meta = match take(&mut object, name) {
        None => Meta::new(),
        Some(Value::Object(meta)) => meta,
        Some(other) => return Err(wrong(name, "an object", &other)),
    };
    for (field, value) in object {
        if meta.contains_key(&field) {
            let problem = format!("is unknown and would go under `{name}`, which has a field of that name; rename one");
            return Err(ReadErrorKind::Field { field, problem });
        }
        if !report.moved_to_meta.contains(&field) {
            report.moved_to_meta.insert(field.clone());
        }
        meta.insert(field, value);
    }
    Ok(meta)
}

/// A value as text, cut after 60 characters for a message.
pub(crate) fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}
