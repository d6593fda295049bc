//! Projects.

use std::sync::Arc;

use axum::extract::State;
use schema::{LabelDefinition, Schema};
use serde::{Deserialize, Serialize};
use store::{Project, Role};
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{
    Refusal, Studio,
    access::{By, Caller, Member},
    body::Json,
};

/// A project in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What the caller is in it.
    pub role: String,
    /// Number of documents.
    pub documents: u32,
}

/// A project to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewProject {
    /// Its name.
    name: String,
    /// Its labels with their definitions.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    labels: Vec<LabelDefinition>,
    /// What annotators are told, as Markdown.
    #[serde(default)]
    guidelines: String,
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Described {
    /// Its name.
    name: String,
    /// What the caller is in it.
    role: String,
    /// Number of documents.
    documents: u32,
    /// The version of labels and guidelines.
    version: u32,
    /// Its labels with their definitions.
    #[schema(value_type = Vec<Object>)]
    labels: Vec<LabelDefinition>,
    /// What annotators are told, as Markdown.
    guidelines: String,
    /// How far each layer is.
    progress: Vec<LayerProgress>,
}

/// How far a layer is.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayerProgress {
    /// `first`, `second` or `review`.
    layer: String,
    /// Documents to annotate in it.
    tasks: u64,
    /// Those that are done.
    done: u64,
}

/// The projects that somebody has a part in, by name.
pub async fn of(studio: &Studio, caller: &Caller) -> Result<Vec<(Project, Role)>, Refusal> {
    let mut theirs = Vec::new();
    for project in studio.store.projects().await? {
        let role = match caller.by {
            By::Local => Some(Role::Owner),
            _ => studio.store.role(project.id, caller.user.id).await?,
        };
        theirs.extend(role.map(|role| (project, role)));
    }
    Ok(theirs)
}

/// The projects that the caller has a part in
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", responses((status = 200, body = Vec<Listed>), Refusals))]
pub async fn list(State(studio): State<Arc<Studio>>, caller: Caller) -> Result<axum::Json<Vec<Listed>>, Refusal> {
    let listed = |(project, role): (Project, Role)| Listed {
        name: project.name,
        role: role.to_string(),
        documents: project.documents,
    };
    Ok(axum::Json(of(&studio, &caller).await?.into_iter().map(listed).collect()))
}

/// Makes a project, whose owner the caller becomes
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", request_body = NewProject, responses((status = 200, body = Listed), Refusals))]
pub async fn create(
    State(studio): State<Arc<Studio>>,
    caller: Caller,
    Json(wanted): Json<NewProject>,
) -> Result<axum::Json<Listed>, Refusal> {
    let schema = Schema::new(wanted.labels).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let project = made(&studio, &caller, &wanted.name, &schema, &wanted.guidelines).await?;
    Ok(axum::Json(Listed { name: project.name, role: Role::Owner.to_string(), documents: 0 }))
}

/// A new project.
pub async fn made(
    studio: &Studio,
    caller: &Caller,
    name: &str,
    schema: &Schema,
    guidelines: &str,
) -> Result<Project, Refusal> {
    let name = name.trim();
    if name.chars().count() > 80 || name.chars().any(char::is_control) || matches!(name, "" | "." | "..") {
        return Err(Refusal::Invalid(
            "a project's name has 1 to 80 characters, none of them a control character".into(),
        ));
    }
    Ok(studio.store.create_project(name, schema, guidelines, caller.user.id).await?)
}

/// A project, its labels and how far it is
#[utoipa::path(
    get, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = Described), Refusals)
)]
pub async fn one(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Described>, Refusal> {
    let progress = studio.store.progress(member.project.id).await?;
    let progress =
        progress.into_iter().map(|of| LayerProgress { layer: of.layer.to_string(), tasks: of.tasks, done: of.done });
    let Project { name, schema, guidelines, version, documents, .. } = Project::clone(&member.project);
    Ok(axum::Json(Described {
        name,
        role: member.role.to_string(),
        documents,
        version,
        labels: schema.into(),
        guidelines,
        progress: progress.collect(),
    }))
}
