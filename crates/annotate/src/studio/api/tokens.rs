//! Tokens, by which programs are known as the person who made them.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use store::AccessKind;
use utoipa::ToSchema;

use super::problem::Refusals;
use crate::studio::{
    Refusal, Studio,
    access::{Caller, secret},
    body::Json,
    path::Path,
};

/// A token, without what it opens the door with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// By what it is taken back.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created: i64,
}

/// A token to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewToken {
    /// What to call it.
    name: String,
}

/// A new token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Made {
    /// What a program sends: `Authorization: Bearer TOKEN`. It is told once and kept nowhere.
    token: String,
}

/// The caller's tokens, the oldest first.
pub async fn of(studio: &Studio, caller: &Caller) -> Result<Vec<Token>, Refusal> {
    let tokens = studio.store.accesses(caller.user.id, AccessKind::Token).await?;
    let token = |token: store::Access| Token { id: token.hash, name: token.name, created: token.created };
    Ok(tokens.into_iter().map(token).collect())
}

/// A new token, which is told once.
pub async fn made(studio: &Studio, caller: &Caller, name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 80 {
        return Err(Refusal::Invalid("call the token by what will use it, in 1 to 80 characters".to_owned()));
    }
    let token = format!("nomen-{}", secret::fresh()?);
    studio.store.grant(&token, caller.user.id, AccessKind::Token, name, None).await?;
    Ok(token)
}

/// The caller's tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "people", responses((status = 200, body = Vec<Token>), Refusals))]
pub async fn list(State(studio): State<Arc<Studio>>, caller: Caller) -> Result<axum::Json<Vec<Token>>, Refusal> {
    Ok(axum::Json(of(&studio, &caller).await?))
}

/// Makes a token for a program
#[utoipa::path(post, path = "/api/v1/tokens", tag = "people", request_body = NewToken, responses((status = 200, body = Made), Refusals))]
pub async fn create(
    State(studio): State<Arc<Studio>>,
    caller: Caller,
    Json(wanted): Json<NewToken>,
) -> Result<axum::Json<Made>, Refusal> {
    Ok(axum::Json(Made { token: made(&studio, &caller, &wanted.name).await? }))
}

/// Takes a token back
#[utoipa::path(
    delete, path = "/api/v1/tokens/{token}", tag = "people", params(("token" = String, Path)),
    responses((status = 204), Refusals)
)]
pub async fn delete(State(studio): State<Arc<Studio>>, caller: Caller, path: Path) -> Result<StatusCode, Refusal> {
    studio.store.revoke(caller.user.id, path.get("token")).await?;
    Ok(StatusCode::NO_CONTENT)
}
