//! Documents: found, and looked at one by one.

use std::sync::Arc;

use axum::extract::{Query, State};
use schema::{Document, Label};
use serde::{Deserialize, Serialize};
use store::{Provenance, Revision, Role, Search, Store, UserId};
use utoipa::{IntoParams, ToSchema};

use super::{
    problem::Refusals,
    wire::{self, Mention, People, Suggested, Version},
};
use crate::studio::{Refusal, Studio, access::Member, path::Path};

/// Documents of a page, where nobody says another number.
pub const PAGE: u32 = 50;
/// Most documents of a page.
const MOST: u32 = 500;

/// What to look for; a document must meet all that is given.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Wanted {
    /// A part of the text, case aside
    pub text: String,
    /// A label that counts in it
    pub label: String,
    /// The whole text of an entity, case aside
    pub surface: String,
    /// The name of somebody who annotated it
    pub user: String,
    /// A rule with a finding about it
    pub rule: String,
    /// `open`, `accepted`, `skipped`, `flagged` or `conflict`
    pub state: String,
    /// Only documents behind this number, the last one of the page before
    pub after: u32,
    /// At most so many
    pub limit: Option<u32>,
}

/// A document in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listed {
    /// Its number.
    number: u32,
    /// Its name in its source.
    id: Option<String>,
    /// Its text.
    text: String,
    /// How what counts was left: `accepted`, `skipped`, `flagged`; none where nobody annotated it.
    verdict: Option<String>,
    /// Who left it so.
    user: Option<String>,
    /// The entities that count.
    entities: Vec<Mention>,
}

/// A page of documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// The documents, by number.
    documents: Vec<Listed>,
    /// What `after` is for the next page; none where this may be the last one.
    next: Option<u32>,
}

/// A document with what the caller may see of its annotations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Described {
    /// Its number.
    number: u32,
    /// Its name in its source.
    id: Option<String>,
    /// Its text.
    text: String,
    /// What else its source said.
    #[schema(value_type = Object)]
    meta: schema::Meta,
    /// The newest version of each layer; annotators see their own, and what came with the document.
    annotations: Vec<Version>,
    /// What sources suggest.
    suggestions: Vec<Suggested>,
}

impl Wanted {
    /// The search that this asks for.
    ///
    /// # Errors
    /// A label, a state or a person is none.
    pub async fn search(&self, store: &Store) -> Result<Search, Refusal> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let wrong = |error: String| Refusal::Invalid(error);
        let user: Option<UserId> = match &*self.user {
            "" => None,
            name => {
                let user = store.user_by_name(name).await?;
                Some(user.ok_or_else(|| wrong(format!("there is no user `{name}`")))?.id)
            }
        };
        Ok(Search {
            text: given(&self.text),
            label: given(&self.label).map(|label| Label::new(&label)).transpose().map_err(|e| wrong(e.to_string()))?,
            surface: given(&self.surface),
            user,
            rule: given(&self.rule),
            state: given(&self.state).map(|state| state.parse()).transpose()?,
            after: self.after,
            limit: self.limit.unwrap_or(PAGE).clamp(1, MOST),
        })
    }
}

/// Documents of a project that meet a search, by number
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/documents", tag = "documents", params(("project" = String, Path), Wanted),
    responses((status = 200, body = Found), Refusals)
)]
pub async fn list(
    State(studio): State<Arc<Studio>>,
    member: Member,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<Found>, Refusal> {
    let Query(wanted) = wanted.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let search = wanted.search(&studio.store).await?;
    let (found, people) = (studio.store.search(member.project.id, &search).await?, People::of(&studio.store).await?);
    let next = found.last().filter(|_| found.len() == search.limit as usize).map(|last| last.number);
    let listed = |found: store::Listed| Listed {
        number: found.number,
        id: found.id,
        verdict: found.standing.map(|(_, verdict, ..)| verdict.to_string()),
        user: found.standing.and_then(|(_, _, user, _)| people.name(user).map(str::to_owned)),
        entities: wire::mentions(&found.text, &found.entities),
        text: found.text,
    };
    Ok(axum::Json(Found { documents: found.into_iter().map(listed).collect(), next }))
}

/// A document, what is annotated in it and what is suggested
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/documents/{number}", tag = "documents",
    params(("project" = String, Path), ("number" = u32, Path)), responses((status = 200, body = Described), Refusals)
)]
pub async fn one(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
) -> Result<axum::Json<Described>, Refusal> {
    let (number, people) = (path.number()?, People::of(&studio.store).await?);
    let document = studio.store.document(member.project.id, number).await?.document;
    let heads = studio.store.heads(member.project.id, number).await?;
    let seen = heads.iter().filter(|head| is_seen(&member, head));
    Ok(axum::Json(Described {
        number,
        annotations: seen.map(|head| wire::revision(document.text(), &people, head)).collect(),
        suggestions: wire::suggested(document.text(), &studio.store.suggestions(member.project.id, number).await?),
        text: document.text().to_owned(),
        id: document.id,
        meta: document.meta,
    }))
}

/// What sources suggest for a document
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/documents/{number}/suggestions", tag = "documents",
    params(("project" = String, Path), ("number" = u32, Path)), responses((status = 200, body = Vec<Suggested>), Refusals)
)]
pub async fn suggestions(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
) -> Result<axum::Json<Vec<Suggested>>, Refusal> {
    let number = path.number()?;
    let document: Document = studio.store.document(member.project.id, number).await?.document;
    let suggestions = studio.store.suggestions(member.project.id, number).await?;
    Ok(axum::Json(wire::suggested(document.text(), &suggestions)))
}

/// Whether somebody may see a version: annotators do not see those of others, so that two annotations stay independent.
pub fn is_seen(member: &Member, revision: &Revision) -> bool {
    member.role >= Role::Reviewer || revision.origin == Provenance::Import || revision.user == Some(member.user())
}
