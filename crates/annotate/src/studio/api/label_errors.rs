//! Likely label errors: places where a model that has not learned from them contradicts the annotation, the likeliest first.

use std::{path::PathBuf, sync::Arc};

use axum::{extract::State, http::StatusCode};
use schema::offset::{Offsets, Unit};
use serde::{Deserialize, Serialize};
use store::{Finding, Found, RunState};
use utoipa::ToSchema;

use super::{problem::Refusals, quality, runs as of_runs};
use crate::studio::{Refusal, Studio, access::Member, body::Json, path::Path, runs};

/// Label errors that are listed at once.
pub const LISTED: u32 = 50;

/// A place where the annotation is likely wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelError {
    /// The document.
    document: u32,
    /// What is annotated and what the model says instead, with its confidence.
    message: String,
    /// First code point of the place.
    start: Option<usize>,
    /// One past the last code point.
    end: Option<usize>,
    /// What stands there.
    text: Option<String>,
}

/// A label error that is none, or is taken care of.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Dismissed {
    /// The document.
    document: u32,
    /// The message, as it is listed.
    message: String,
}

/// How many label errors a run sees.
#[derive(Debug, Serialize, ToSchema)]
pub struct Seen {
    /// Their number; they take the place of those that were listed.
    kept: usize,
}

/// Where the model of a run contradicts the annotation of its dev set, which it has not learned from; kept in the place of the label
/// errors that were known, but for what somebody dismissed. Says how many.
///
/// # Errors
/// The run has no model that was tried, or the database fails.
pub async fn keep(studio: &Studio, member: &Member, run: &store::Run) -> Result<usize, Refusal> {
    let none = || Refusal::Invalid(format!("run {} has no model that was tried on its dev set yet", run.id.0));
    if run.state == RunState::Running {
        return Err(none());
    }
    let folder = PathBuf::from(&run.started.folder);
    let seen = tokio::task::spawn_blocking(move || runs::label_errors(&folder)).await;
    let seen = seen.map_err(|panic| Refusal::Failed(panic.to_string()))??;
    let findings: Vec<Finding> = seen.ok_or_else(none)?;
    let project = member.project.id;
    Ok(studio.store.replace_findings(project, Found::By(quality::label_error()), &findings).await?.len())
}

/// Takes one off the list, until its document is annotated anew.
///
/// # Errors
/// It is not there any more, or the database fails.
pub async fn taken_off(studio: &Studio, member: &Member, document: u32, message: &str) -> Result<(), Refusal> {
    let project = member.project.id;
    if studio.store.dismiss_finding(project, document, quality::label_error(), message).await? {
        return Ok(());
    }
    Err(Refusal::NotFound(format!(
        "this label error of document {document} is not listed any more; load the page again"
    )))
}

/// The likeliest label errors
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/label-errors", tag = "quality", params(("project" = String, Path)),
    responses((status = 200, body = Vec<LabelError>), Refusals)
)]
pub async fn list(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Vec<LabelError>>, Refusal> {
    let project = member.project.id;
    let mut listed = Vec::new();
    for Finding { document, message, span, .. } in
        studio.store.findings_by(project, quality::label_error(), LISTED).await?
    {
        let place = match span {
            None => None,
            Some(span) => {
                let text = studio.store.document(project, document).await?.document.text().to_owned();
                let (start, end) = Offsets::new(&text, Unit::CodePoints).of(span);
                Some((start, end, span.quote(&text).to_owned()))
            }
        };
        let (start, end) = place.as_ref().map(|(start, end, _)| (*start, *end)).unzip();
        listed.push(LabelError { document, message, start, end, text: place.map(|(.., text)| text) });
    }
    Ok(axum::Json(listed))
}

/// Takes a label error off the list, until its document is annotated anew
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/label-errors/dismiss", tag = "quality", params(("project" = String, Path)),
    request_body = Dismissed, responses((status = 204), Refusals)
)]
pub async fn dismiss(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(Dismissed { document, message }): Json<Dismissed>,
) -> Result<StatusCode, Refusal> {
    taken_off(&studio, &member, document, &message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists as likely label errors where the model of a run contradicts its dev set
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/runs/{run}/label-errors", tag = "quality",
    params(("project" = String, Path), ("run" = i64, Path)), responses((status = 200, body = Seen), Refusals)
)]
pub async fn of_run(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
) -> Result<axum::Json<Seen>, Refusal> {
    let run = of_runs::of(&studio, &member, &path).await?;
    Ok(axum::Json(Seen { kept: keep(&studio, &member, &run).await? }))
}
