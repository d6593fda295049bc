//! Findings that were made elsewhere: the JSON that `nomen check --json` prints of the project's export, such as the label errors that
//! a model sees.

use std::{collections::HashMap, sync::Arc};

use axum::extract::{Query, State, rejection::QueryRejection};
use schema::offset::{Offsets, Unit};
use serde::{Deserialize, Serialize};
use store::{Finding, Layer, Number};
use utoipa::{IntoParams, ToSchema};

use super::{problem::Refusals, quality, queue};
use crate::studio::{Refusal, Studio, access::Member, body::Json};

/// What `nomen check --json` prints, as far as it is of use here.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Checked {
    /// What was found, the most telling first.
    findings: Vec<Found>,
}

/// Something that was found.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Found {
    /// The rule.
    code: String,
    /// What is wrong.
    message: String,
    /// Where, the place to look at first before the others.
    places: Vec<Place>,
    /// What a model would write instead.
    suggestion: Option<Instead>,
}

/// A place.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Place {
    /// The document, counted from 1 in the export of what is accepted.
    document: Option<usize>,
    /// First code point.
    start: Option<usize>,
    /// One past the last code point.
    end: Option<usize>,
    /// What stands there, which proves that the file is of the project as it is.
    text: Option<String>,
}

/// What a model would write instead.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Instead {
    /// How sure it is, between 0 and 1.
    confidence: f64,
}

/// What is to be done with findings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct How {
    /// Whether documents with likely label errors go to the head of the queue, the most likely first
    queue: bool,
}

/// What became of findings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    /// Findings that were kept.
    kept: usize,
    /// Documents that were sent to the queue.
    sent: usize,
}

/// Keeps findings that were made elsewhere, in the place of all that there were
///
/// The body is what `nomen check FILE --json` prints of the project's export. Where it quotes a text, the project must have it there.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/findings", tag = "quality", params(("project" = String, Path), How),
    request_body = Checked, responses((status = 200, body = Kept), Refusals)
)]
pub async fn put(
    State(studio): State<Arc<Studio>>,
    member: Member,
    how: Result<Query<How>, QueryRejection>,
    Json(checked): Json<Checked>,
) -> Result<axum::Json<Kept>, Refusal> {
    let Query(How { queue }) = how.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let numbers = quality::accepted(&studio.store, &member.project).await?;
    let mut texts: HashMap<Number, String> = HashMap::new();
    let (mut findings, mut confidences) = (Vec::new(), Vec::new());
    for (index, found) in checked.findings.into_iter().enumerate() {
        let wrong = |problem: &str| {
            Refusal::Invalid(format!(
                "finding {}: {problem}; export the project, run `nomen check FILE --json` on that file, and send what it prints",
                index + 1
            ))
        };
        let Some(place) = found.places.first() else { continue };
        let Some(document) = place.document else { continue };
        let number = document.checked_sub(1).and_then(|index| numbers.get(index));
        let number =
            *number.ok_or_else(|| wrong(&format!("the project has no document {document} that is accepted")))?;
        if let std::collections::hash_map::Entry::Vacant(text) = texts.entry(number) {
            text.insert(studio.store.document(member.project.id, number).await?.document.text().to_owned());
        }
        let text = &texts[&number];
        let span = match place.start.zip(place.end) {
            None => None,
            Some((start, end)) => {
                let span = Offsets::new(text, Unit::CodePoints).span(start, end);
                let span = span.map_err(|error| wrong(&error.to_string()))?;
                if place.text.as_ref().is_some_and(|quote| quote != span.quote(text)) {
                    return Err(wrong("the text that it quotes is not there any more"));
                }
                Some(span)
            }
        };
        findings.push(Finding { document: number, rule: found.code, message: found.message, span });
        confidences
            .push(found.suggestion.map(|instead| instead.confidence).filter(|confidence| confidence.is_finite()));
    }
    let kept = studio.store.set_findings(member.project.id, &findings).await?;
    let mut suspects: Vec<(Number, f64, String)> = Vec::new();
    for index in kept.iter().filter(|_| queue) {
        let Finding { document, message, .. } = &findings[*index];
        if let Some(confidence) = confidences[*index]
            && !suspects.iter().any(|(known, ..)| known == document)
        {
            suspects.push((*document, queue::SENT + confidence, message.clone()));
        }
    }
    studio.store.send_back(member.project.id, Layer::First, &suspects).await?;
    Ok(axum::Json(Kept { kept: kept.len(), sent: suspects.len() }))
}
