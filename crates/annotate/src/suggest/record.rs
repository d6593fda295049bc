//! Suggestions in a document: how they travel in files.
//!
//! All of them stand in the metadata under [`META`], with offsets in code points beside the quoted text, so that what is
//! ambiguous, ungrounded, refused or overlapping is there too. Those that can be entities of the text without an overlap
//! are its entities as well, with `score` and `source`, so that every tool that reads Nomen JSONL shows them. The
//! document stays incomplete (`"complete": false`): nobody has looked at it.

use schema::{
    Document, DocumentError, Entity, Label, Span,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Grounding, Origin, OriginKind, Suggestion};

/// Key of the metadata that holds the suggestions.
pub const META: &str = "suggestions";

/// Why the metadata of a document are no suggestions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("meta.{META}[{index}]: {problem}; correct it, or leave the whole field out")]
pub struct RecordError {
    index: usize,
    problem: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<usize>,
    label: Label,
    status: Grounding,
    /// What the text has there; left out where the quote is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    quote: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    edits: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    source: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prompt: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so
fn is_zero(edits: &u32) -> bool {
    *edits == 0
}

/// The document with these suggestions in the place of those that it had.
///
/// Entities that were not made of its suggestions stay. A document whose annotation is complete keeps it as it is, and has the
/// suggestions in its metadata alone. Else those become entities that are sure enough ([`Suggestion::is_entity`]), the
/// surest first, while they overlap nothing; where sources were weighed ([`OriginKind::Combined`]), what came of that counts
/// and no single source.
///
/// # Errors
/// A span is none of this text.
pub fn attach(document: Document, suggestions: &[Suggestion], threshold: f32) -> Result<Document, DocumentError> {
    let rows: Vec<Value> = suggestions.iter().map(|suggestion| row(document.text(), suggestion)).collect();
    let mut document = if document.partial {
        // Without suggestions beside them, entities of a model are what somebody gave, and are nowhere else.
        let made_of_suggestions = document.meta.contains_key(META);
        let stays = |entity: &&Entity| !(made_of_suggestions && is_suggested(entity));
        let mut entities: Vec<Entity> = document.entities().iter().filter(stays).cloned().collect();
        for entity in chosen(suggestions, threshold) {
            if entities.iter().all(|known| !known.span.overlaps(entity.span)) {
                entities.push(entity);
            }
        }
        document.with_entities(entities)?
    } else {
        document
    };
    document.meta.insert(META.to_owned(), Value::Array(rows));
    Ok(document)
}

/// The suggestions that a document carries.
///
/// # Errors
/// The metadata have the key of suggestions and hold something else, or a place that does not have the text that it quotes.
pub fn read(document: &Document) -> Result<Vec<Suggestion>, RecordError> {
    let Some(rows) = document.meta.get(META) else { return Ok(Vec::new()) };
    let fault = |index: usize, problem: String| RecordError { index, problem };
    let rows = rows.as_array().ok_or_else(|| fault(0, "expected a list of suggestions".into()))?;
    let offsets = Offsets::new(document.text(), Unit::CodePoints);
    let suggestion = |(index, row): (usize, &Value)| {
        let row = Row::deserialize(row).map_err(|error| fault(index, error.to_string()))?;
        let span = match (row.start, row.end) {
            (None, None) => None,
            (Some(start), Some(end)) => {
                Some(offsets.span(start, end).map_err(|error| fault(index, error.to_string()))?)
            }
            _ => return Err(fault(index, "`start` and `end` belong together".into())),
        };
        if span.is_none() && row.status != Grounding::Ungrounded {
            return Err(fault(index, format!("what is {} has `start` and `end`", row.status)));
        }
        if let Some(span) = span
            && span.quote(document.text()) != row.text.as_deref().unwrap_or(&row.quote)
        {
            return Err(fault(index, "the text at its offsets is another".into()));
        }
        let score = row.score.map(|score| score as f32);
        if score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
            return Err(fault(index, "`score` is not between 0 and 1".into()));
        }
        let origin = Origin::of_source(&row.source)
            .ok_or_else(|| fault(index, format!("`source` {} is not KIND:NAME", row.source.escape_debug())))?;
        let origin = Origin { version: row.version, prompt: row.prompt, ..origin };
        let Row { label, status, quote, edits, verified, .. } = row;
        Ok(Suggestion { span, label, score, status, quote, edits, verified, origin })
    };
    rows.iter().enumerate().map(suggestion).collect()
}

fn row(text: &str, suggestion: &Suggestion) -> Value {
    let Suggestion { span, label, score, status, quote, edits, verified, origin } = suggestion;
    let offsets = span.map(|span| Offsets::new(text, Unit::CodePoints).of(span));
    let there = span.map(|span| span.quote(text)).filter(|there| there != quote);
    let row = Row {
        start: offsets.map(|(start, _)| start),
        end: offsets.map(|(_, end)| end),
        label: label.clone(),
        status: *status,
        text: there.map(str::to_owned),
        quote: quote.clone(),
        edits: *edits,
        // Four digits: more would only show how a float is written.
        score: score.map(|score| (f64::from(score) * 1e4).round() / 1e4),
        verified: *verified,
        source: origin.to_string(),
        version: origin.version.clone(),
        prompt: origin.prompt.clone(),
    };
    serde_json::to_value(row).unwrap_or_default()
}

fn is_suggested(entity: &Entity) -> bool {
    let origin = entity.source.as_deref().and_then(Origin::of_source);
    origin.is_some_and(|origin| origin.kind != OriginKind::Person)
}

/// The entities that suggestions make, without overlaps, the surest first.
pub fn chosen(suggestions: &[Suggestion], threshold: f32) -> Vec<Entity> {
    let weighed = suggestions.iter().any(|suggestion| suggestion.origin.kind == OriginKind::Combined);
    let counts = |suggestion: &&Suggestion| {
        suggestion.is_entity(threshold) && (!weighed || suggestion.origin.kind == OriginKind::Combined)
    };
    let mut sure: Vec<(Span, &Suggestion)> =
        suggestions.iter().filter(counts).filter_map(|suggestion| Some((suggestion.span?, suggestion))).collect();
    // A source that gives no score has decided.
    let score = |suggestion: &Suggestion| suggestion.score.unwrap_or(1.0);
    sure.sort_by(|(a_span, a), (b_span, b)| {
        score(b)
            .total_cmp(&score(a))
            .then(a.status.cmp(&b.status))
            .then(b_span.len().cmp(&a_span.len()))
            .then(a_span.cmp(b_span))
            .then(a.label.cmp(&b.label))
    });
    let mut entities: Vec<Entity> = Vec::new();
    for (span, suggestion) in sure {
        if entities.iter().all(|known| !known.span.overlaps(span)) {
            let source = Some(suggestion.origin.to_string());
            let score = suggestion.score.map(|score| (score * 1e4).round() / 1e4);
            entities.push(Entity { span, label: suggestion.label.clone(), score, source });
        }
    }
    entities.sort_by_key(|entity| entity.span);
    entities
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str) -> Label {
        Label::new(name).unwrap()
    }

    fn suggestion(text: &str, start: usize, end: usize, name: &str, score: Option<f32>) -> Suggestion {
        let origin = Origin { version: "v2".into(), prompt: "00ff".into(), ..Origin::new(OriginKind::Llm, "m") };
        Suggestion::exact(text, Span::of(text, start..end).unwrap(), label(name), score, origin)
    }

    #[test]
    fn what_is_attached_is_read_back_and_overlaps_stay_out_of_the_entities_alone() {
        let text = "Ærø 😀 and New York";
        let nowhere = Suggestion {
            span: None,
            status: Grounding::Ungrounded,
            quote: "Rome".into(),
            ..suggestion(text, 0, 5, "PLACE", None)
        };
        let suggestions = vec![
            suggestion(text, 0, 5, "PLACE", Some(0.25)),
            suggestion(text, 15, 18, "PLACE", Some(0.5)),
            suggestion(text, 15, 23, "PLACE", Some(0.75)),
            Suggestion { verified: Some(false), ..suggestion(text, 6, 10, "FACE", None) },
            nowhere,
        ];
        let mut document = Document::new(text);
        document.partial = true;
        let document = attach(document, &suggestions, 0.5).unwrap();
        assert!(document.partial);
        let found: Vec<&str> = document.entities().iter().map(|entity| entity.span.quote(text)).collect();
        assert_eq!(found, ["New York"]);
        assert_eq!(document.entities()[0].source.as_deref(), Some("llm:m"));
        assert_eq!(read(&document), Ok(suggestions));
        // Offsets in files are code points.
        assert_eq!(document.meta[META][2]["start"], 10);
    }

    #[test]
    fn what_people_annotated_stays() {
        let text = "Anna in Rome";
        let person = Entity::new(Span::of(text, 0..4).unwrap(), label("PERSON"));
        let old = Entity { source: Some("llm:old".into()), ..Entity::new(Span::of(text, 8..12).unwrap(), label("X")) };
        let mut document = Document::new(text).with_entities(vec![person.clone(), old]).unwrap();
        document.partial = true;
        let new = [suggestion(text, 0, 12, "Y", None), suggestion(text, 8, 12, "PLACE", None)];
        let attached = attach(document.clone(), &new, 0.5).unwrap();
        assert_eq!(attached.entities(), document.entities());
        document.meta.insert(META.into(), Value::Array(Vec::new()));
        let attached = attach(document.clone(), &new[..1], 0.5).unwrap();
        assert_eq!(attached.entities(), std::slice::from_ref(&person));
        let attached = attach(document.clone(), &new[1..], 0.5).unwrap();
        assert_eq!(attached.entities()[1].label, label("PLACE"));
        document.partial = false;
        let attached = attach(document.clone(), &new, 0.5).unwrap();
        assert_eq!((attached.entities(), attached.partial), (document.entities(), false));
        assert_eq!(read(&attached).unwrap().len(), 2);
    }

    #[test]
    fn offsets_that_do_not_have_their_quote_are_refused() {
        let text = "Anna in Rome";
        let mut document = Document::new(text);
        document.partial = true;
        let mut document = attach(document, &[suggestion(text, 0, 4, "P", None)], 0.5).unwrap();
        document.meta[META][0]["start"] = 1.into();
        let error = read(&document).unwrap_err().to_string();
        assert!(error.contains("meta.suggestions[0]") && error.contains("the text at its offsets"), "{error}");
        document.meta.insert(META.into(), "x".into());
        assert!(read(&document).is_err());
    }
}
