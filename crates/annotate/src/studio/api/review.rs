//! Two annotations of one text, and versions that came too late.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use store::Layer;
use utoipa::ToSchema;

use super::{
    problem::Refusals,
    wire::{self, People, Version},
};
use crate::studio::{Refusal, Studio, access::Member, body::Json, path::Path};

/// What two people made of a text, and what was decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pair {
    /// The document.
    document: u32,
    /// Its text.
    text: String,
    /// One annotation.
    first: Option<Version>,
    /// The other.
    second: Option<Version>,
    /// What was decided so far; `PUT .../annotations/review` decides.
    review: Option<Version>,
}

/// A conflict that somebody has looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Settled {
    /// The document.
    document: u32,
    /// The layer.
    layer: String,
    /// The name of the save that came too late.
    key: String,
}

/// What two people made of a text, and what was decided
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/review/{number}", tag = "review",
    params(("project" = String, Path), ("number" = u32, Path)), responses((status = 200, body = Pair), Refusals)
)]
pub async fn pair(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<axum::Json<Pair>, Refusal> {
    let (number, people) = (path.number()?, People::of(&studio.store).await?);
    let document = studio.store.document(member.project.id, number).await?.document;
    let heads = studio.store.heads(member.project.id, number).await?;
    let of = |layer: Layer| {
        let head = heads.iter().find(|head| head.layer == layer)?;
        Some(wire::revision(document.text(), &people, head))
    };
    Ok(axum::Json(Pair {
        document: number,
        text: document.text().to_owned(),
        first: of(Layer::First),
        second: of(Layer::Second),
        review: of(Layer::Review),
    }))
}

/// Versions that came too late and that nobody has looked at, the oldest first
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/conflicts", tag = "review", params(("project" = String, Path)),
    responses((status = 200, body = Vec<Version>), Refusals)
)]
pub async fn conflicts(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Vec<Version>>, Refusal> {
    let people = People::of(&studio.store).await?;
    let mut told = Vec::new();
    for lost in studio.store.conflicts(member.project.id, None, false).await? {
        let document = studio.store.document(member.project.id, lost.document).await?.document;
        told.push(wire::lost(document.text(), &people, &lost));
    }
    Ok(axum::Json(told))
}

/// Says that a conflict was looked at; the version that came too late stays
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/conflicts", tag = "review", params(("project" = String, Path)),
    request_body = Settled, responses((status = 204), Refusals)
)]
pub async fn settle(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(Settled { document, layer, key }): Json<Settled>,
) -> Result<StatusCode, Refusal> {
    studio.store.settle_conflict(member.project.id, document, layer.parse()?, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
