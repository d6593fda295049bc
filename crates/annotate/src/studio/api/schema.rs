//! Labels and guidelines.

use std::sync::Arc;

use axum::extract::State;
use schema::{LabelDefinition, Schema};
use serde::{Deserialize, Serialize};
use store::Project;
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{Refusal, Studio, access::Member, body::Json};

/// The labels and guidelines of a project.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Defined {
    /// Counts the changes. A change names the version that it started from.
    version: u32,
    /// The labels with their definitions, in order.
    #[schema(value_type = Vec<Object>)]
    labels: Vec<LabelDefinition>,
    /// What annotators are told, as Markdown.
    guidelines: String,
}

/// The labels with their definitions, and the guidelines
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/schema", tag = "schema", params(("project" = String, Path)),
    responses((status = 200, body = Defined), Refusals)
)]
pub async fn get(member: Member) -> axum::Json<Defined> {
    axum::Json(defined(Project::clone(&member.project)))
}

/// Changes labels and guidelines
///
/// A label that is in use cannot go; `POST .../relabel` renames and merges labels with everything that carries them.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/schema", tag = "schema", params(("project" = String, Path)), request_body = Defined,
    responses((status = 200, body = Defined), Refusals)
)]
pub async fn put(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(wanted): Json<Defined>,
) -> Result<axum::Json<Defined>, Refusal> {
    let Defined { version, labels, guidelines } = wanted;
    let schema = Schema::new(labels).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let changed = studio.store.define(member.project.id, version, &schema, &guidelines, member.user()).await?;
    Ok(axum::Json(defined(changed)))
}

fn defined(project: Project) -> Defined {
    Defined { version: project.version, labels: project.schema.into(), guidelines: project.guidelines }
}
