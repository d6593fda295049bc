//! Who has a part in a project.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use store::{Role, User};
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{
    Refusal, Studio,
    access::{By, Member, password},
    body::Json,
    path::Path,
};

/// Somebody in a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    /// The name.
    pub name: String,
    /// `annotator`, `reviewer` or `owner`.
    pub role: String,
    /// Whether there is a password to log in with.
    pub logs_in: bool,
    /// Documents that they annotated last.
    pub annotated: u64,
}

/// What somebody is to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Part {
    /// `annotator`, `reviewer` or `owner`.
    role: String,
    /// The password of a new account. Accounts that there are keep theirs.
    #[serde(default)]
    password: Option<String>,
}

/// Everybody in a project, by name.
pub async fn of(studio: &Studio, member: &Member) -> Result<Vec<Person>, Refusal> {
    let done = studio.store.progress_by_user(member.project.id).await?;
    let person = |member: store::Member| Person {
        annotated: done.iter().filter(|(user, ..)| *user == member.user.id).map(|(.., count)| count).sum(),
        logs_in: member.user.password.is_some(),
        name: member.user.name,
        role: member.role.to_string(),
    };
    Ok(studio.store.members(member.project.id).await?.into_iter().map(person).collect())
}

/// Gives somebody a role. Who is not known yet gets an account with this password; the passwords of others nobody but they change.
/// Where nobody logs in yet, the person at the machine may take a password too.
///
/// # Errors
/// The account is there and a password is given, or it is new and the password is none, or the project would lose its owner. The first
/// account is none of an owner: nobody could make another one in the studio, which asks for a login from then on.
pub async fn give(
    studio: &Studio,
    member: &Member,
    name: &str,
    role: Role,
    given: Option<String>,
) -> Result<(), Refusal> {
    let given = given.filter(|password| !password.is_empty());
    if member.caller.by == By::Local && given.is_some() && role != Role::Owner {
        return Err(Refusal::Invalid(format!(
            "the first account must be an owner's, who can then add others: from then on everybody logs in; give `{name}` the role owner"
        )));
    }
    let user: User = match (studio.store.user_by_name(name).await?, given) {
        (Some(user), None) => user,
        (Some(user), Some(given)) if member.caller.by == By::Local && user.id == member.user() => {
            studio.store.set_password(user.id, Some(&hashed(given).await?)).await?;
            user
        }
        (Some(_), Some(_)) => {
            return Err(Refusal::Invalid(format!(
                "`{name}` has an account already; leave the password empty to give them a role here"
            )));
        }
        (None, None) => {
            return Err(Refusal::Invalid(format!("there is no account `{name}`; a new one needs a password")));
        }
        (None, Some(given)) => studio.store.create_user(name, Some(&hashed(given).await?)).await?,
    };
    Ok(studio.store.set_role(member.project.id, user.id, Some(role)).await?)
}

async fn hashed(given: String) -> Result<String, Refusal> {
    let hash = tokio::task::spawn_blocking(move || password::hash(&given)).await;
    let hash = hash.map_err(|panic| Refusal::Failed(panic.to_string()))?;
    hash.map_err(|error| Refusal::Invalid(error.to_string()))
}

/// Takes somebody's part in a project away; what they annotated stays.
///
/// # Errors
/// There is no such person here, or the project would lose its owner.
pub async fn remove(studio: &Studio, member: &Member, name: &str) -> Result<(), Refusal> {
    let members = studio.store.members(member.project.id).await?;
    let known = members.into_iter().find(|member| member.user.name == name);
    let known = known.ok_or_else(|| Refusal::NotFound(format!("`{name}` has no part in this project")))?;
    Ok(studio.store.set_role(member.project.id, known.user.id, None).await?)
}

/// Everybody who has a part in a project
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/people", tag = "people", params(("project" = String, Path)),
    responses((status = 200, body = Vec<Person>), Refusals)
)]
pub async fn list(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Vec<Person>>, Refusal> {
    Ok(axum::Json(of(&studio, &member).await?))
}

/// Gives somebody a role, and an account where they have none
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/people/{name}", tag = "people",
    params(("project" = String, Path), ("name" = String, Path)), request_body = Part, responses((status = 204), Refusals)
)]
pub async fn put(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
    Json(part): Json<Part>,
) -> Result<StatusCode, Refusal> {
    give(&studio, &member, path.get("name"), part.role.parse()?, part.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody's part in a project away; what they annotated stays
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/people/{name}", tag = "people",
    params(("project" = String, Path), ("name" = String, Path)), responses((status = 204), Refusals)
)]
pub async fn delete(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<StatusCode, Refusal> {
    remove(&studio, &member, path.get("name")).await?;
    Ok(StatusCode::NO_CONTENT)
}
