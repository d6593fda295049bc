//! What comes next.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use store::{Layer, Task};
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{Refusal, Studio, access::Member, body::Json};

/// How long a text stays with whoever was given it; every draft begins it anew.
pub const LEASE: Duration = Duration::from_secs(30 * 60);
/// What a document that was sent to the queue comes before.
pub const SENT: f64 = 1_000.0;

/// A text to annotate.
#[derive(Debug, Serialize, ToSchema)]
pub struct Next {
    /// The document.
    document: u32,
    /// The layer to annotate it in.
    layer: String,
    /// The version to start from; 0 where there is none.
    head: u32,
    /// Why it comes now.
    reason: String,
    /// Until when nobody else gets it, in milliseconds since 1970.
    until: Option<i64>,
}

/// What comes next; nothing where nothing is left.
#[derive(Debug, Serialize, ToSchema)]
pub struct Coming {
    /// The text.
    next: Option<Next>,
}

/// A text to give back.
#[derive(Debug, Deserialize, ToSchema)]
pub struct GivenBack {
    /// The document.
    document: u32,
    /// The layer.
    layer: String,
}

/// Documents to look at again.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SentBack {
    /// Their numbers.
    documents: Vec<u32>,
    /// The layer whose queue they go to.
    #[serde(default = "first")]
    layer: String,
    /// Why, in words that whoever gets them reads.
    #[serde(default)]
    reason: String,
}

fn first() -> String {
    Layer::First.to_string()
}

/// The next text for an annotator, which is theirs for half an hour from now.
pub async fn task(studio: &Studio, member: &Member, layers: &[Layer]) -> Result<Option<Task>, Refusal> {
    Ok(studio.store.next(member.project.id, member.user(), layers, LEASE).await?)
}

/// The next text to annotate, which nobody else gets for half an hour
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/queue/next", tag = "queue", params(("project" = String, Path)),
    responses((status = 200, body = Coming), Refusals)
)]
pub async fn next(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Coming>, Refusal> {
    let next = task(&studio, &member, &[Layer::First, Layer::Second]).await?;
    Ok(axum::Json(Coming { next: next.map(|task| told(&task)) }))
}

/// The next text to review, which nobody else gets for half an hour
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/review/next", tag = "queue", params(("project" = String, Path)),
    responses((status = 200, body = Coming), Refusals)
)]
pub async fn next_review(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Coming>, Refusal> {
    let next = task(&studio, &member, &[Layer::Review]).await?;
    Ok(axum::Json(Coming { next: next.map(|task| told(&task)) }))
}

fn told(task: &Task) -> Next {
    Next {
        document: task.document,
        layer: task.layer.to_string(),
        head: task.head,
        reason: task.reason.clone(),
        until: task.lease.map(|lease| lease.until),
    }
}

/// Gives a text back undone, so that others get it
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/queue/release", tag = "queue", params(("project" = String, Path)),
    request_body = GivenBack, responses((status = 204), Refusals)
)]
pub async fn release(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(given): Json<GivenBack>,
) -> Result<StatusCode, Refusal> {
    studio.store.release(member.project.id, given.document, given.layer.parse()?, member.user()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts documents at the head of a queue, again where they were done
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/queue", tag = "queue", params(("project" = String, Path)),
    request_body = SentBack, responses((status = 204), Refusals)
)]
pub async fn send(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(given): Json<SentBack>,
) -> Result<StatusCode, Refusal> {
    let reason = if given.reason.is_empty() { "sent back".to_owned() } else { given.reason };
    let documents: Vec<_> = given.documents.into_iter().map(|number| (number, SENT, reason.clone())).collect();
    studio.store.send_back(member.project.id, given.layer.parse()?, &documents).await?;
    Ok(StatusCode::NO_CONTENT)
}
