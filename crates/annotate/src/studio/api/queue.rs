//! What comes next.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use store::{Layer, RANKED, Role, Task};
use utoipa::{IntoParams, ToSchema};

use super::problem::Refusals;
use crate::{
    queue::{Order, goes_twice},
    studio::{Refusal, Studio, access::Member, body::Json, ranking},
};

/// How long a text stays with whoever was given it; every draft begins it anew.
pub const LEASE: Duration = Duration::from_secs(30 * 60);
/// Layers that annotators work on.
pub const ANNOTATED: [Layer; 2] = [Layer::First, Layer::Second];
/// Layers that reviewers decide in.
pub const REVIEWED: [Layer; 1] = [Layer::Review];
/// The priority of a document that was sent to the queue, before every ranking.
pub const SENT: f64 = 1_000.0 * RANKED;

/// A text to annotate.
#[derive(Debug, Serialize, ToSchema)]
pub struct Next {
    /// The document.
    number: u32,
    /// The layer to annotate it in.
    layer: String,
    /// The version to start from; 0 where there is none.
    head: u32,
    /// Why it comes now.
    reason: String,
    /// Until when nobody else gets it, in milliseconds since 1970.
    until: Option<i64>,
}

/// Which queue.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Of {
    /// `review` for what waits for a reviewer; else what waits for an annotator
    layer: String,
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

/// Documents that two people annotate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Twice {
    /// A share of all documents, above 0 and at most 1. A larger share has all of a smaller one.
    #[serde(default)]
    share: Option<f64>,
    /// What decides which documents are in the share.
    #[serde(default)]
    seed: u64,
    /// These documents as well.
    #[serde(default)]
    documents: Vec<u32>,
}

/// An order of what is open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// `random`; `uncertainty`: the most doubtful first, by the scores of suggestions and the disagreement of their sources;
    /// `diversity`: the one first that is farthest from all that is annotated; `mixed`: the product of both.
    order: String,
    /// What decides between equals.
    #[serde(default)]
    seed: u64,
}

/// How many documents have a place in the order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Placed {
    /// Their number; the others come behind them in the order of their numbers.
    documents: usize,
}

/// How many documents two people annotate.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asked {
    /// Documents that were asked for, those that were before among them.
    documents: usize,
}

fn first() -> String {
    Layer::First.to_string()
}

/// The next text for an annotator, which is theirs for half an hour from now.
pub async fn task(studio: &Studio, member: &Member, layers: &[Layer]) -> Result<Option<Task>, Refusal> {
    Ok(studio.store.next(member.project.id, member.user(), layers, LEASE).await?)
}

/// The next text to annotate, which nobody else gets for half an hour; 204 where nothing is left
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/queue/next", tag = "queue", params(("project" = String, Path), Of),
    responses((status = 200, body = Next), (status = 204, description = "Nothing is left"), Refusals)
)]
pub async fn next(
    State(studio): State<Arc<Studio>>,
    member: Member,
    of: Result<Query<Of>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Of { layer }) = of.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let layers = match &*layer {
        "review" if member.role < Role::Reviewer => {
            return Err(Refusal::Forbidden("only reviewers decide between annotations".to_owned()));
        }
        "review" => &REVIEWED[..],
        _ => &ANNOTATED[..],
    };
    Ok(match task(&studio, &member, layers).await? {
        Some(task) => axum::Json(told(&task)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn told(task: &Task) -> Next {
    Next {
        number: task.document,
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

/// Lets a share of a project's documents be annotated by a second person, who does not see what the first did. Gives their number.
///
/// # Errors
/// The share is none, or the database fails.
pub async fn ask_twice(studio: &Studio, member: &Member, share: f64, seed: u64) -> Result<usize, Refusal> {
    if !(share > 0.0 && share <= 1.0) {
        return Err(Refusal::Invalid(format!("{share} is no share; it must be above 0 and at most 1")));
    }
    let documents: Vec<u32> =
        (1..=member.project.documents).filter(|number| goes_twice(*number, share, seed)).collect();
    studio.store.ask_twice(member.project.id, &documents).await?;
    Ok(documents.len())
}

/// Lets documents be annotated by a second person, who does not see what the first did
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/queue/twice", tag = "queue", params(("project" = String, Path)),
    request_body = Twice, responses((status = 200, body = Asked), Refusals)
)]
pub async fn twice(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(Twice { share, seed, documents }): Json<Twice>,
) -> Result<axum::Json<Asked>, Refusal> {
    studio.store.ask_twice(member.project.id, &documents).await?;
    let of_share = match share {
        Some(share) => ask_twice(&studio, &member, share, seed).await?,
        None => 0,
    };
    Ok(axum::Json(Asked { documents: documents.len() + of_share }))
}

/// The order of a name; none where it is empty.
///
/// # Errors
/// There is no such order.
pub fn order_named(name: &str) -> Result<Option<Order>, Refusal> {
    if name.is_empty() { Ok(None) } else { name.parse().map(Some).map_err(Refusal::Invalid) }
}

/// Ranks what is open by what sources suggested and what is annotated
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/queue/order", tag = "queue", params(("project" = String, Path)),
    request_body = Ranking, responses((status = 200, body = Placed), Refusals)
)]
pub async fn order(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(Ranking { order, seed }): Json<Ranking>,
) -> Result<axum::Json<Placed>, Refusal> {
    let order = order.parse().map_err(Refusal::Invalid)?;
    Ok(axum::Json(Placed { documents: ranked(&studio, &member, order, seed).await? }))
}

/// Ranks what is open in a project, and gives how many documents have a place now.
///
/// # Errors
/// The database fails.
pub async fn ranked(studio: &Studio, member: &Member, order: Order, seed: u64) -> Result<usize, Refusal> {
    let pool = ranking::pool(&studio.store, &member.project, seed).await?;
    ranking::order(&studio.store, &member.project, pool, order, seed).await
}
