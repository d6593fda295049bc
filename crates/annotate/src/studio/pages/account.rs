//! What somebody may change of their own: password and tokens.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};

use super::{login::to, of_caller, token};
use crate::studio::{
    Refusal, Studio,
    access::{By, Caller, password},
    api::{tokens, wire::moment},
    body::Fields,
};

/// Password and tokens.
pub async fn show(State(studio): State<Arc<Studio>>, caller: Caller) -> Result<Markup, Refusal> {
    page(&studio, &caller, None).await
}

async fn page(studio: &Studio, caller: &Caller, made: Option<&str>) -> Result<Markup, Refusal> {
    let tokens = tokens::of(studio, caller).await?;
    let body = html! {
        h1 { "Your account" }
        @if let Some(made) = made {
            div.notice.good role="status" {
                p { "Your new token. It is shown once and kept nowhere:" }
                pre { (made) }
                p { "A program sends it as " code { "Authorization: Bearer TOKEN" } "; " a href="/api/v1/openapi.json" { "what it can ask" } "." }
            }
        }
        h2 { "Tokens" }
        @if tokens.is_empty() { p.quiet { "Programs that work in your name need a token." } }
        @else {
            table {
                thead { tr { th { "Name" } th { "Made" } th {} } }
                tbody { @for made in &tokens { tr {
                    td { bdi { (made.name) } }
                    td { (moment(made.created)) }
                    td { form method="post" action="/account/tokens/revoke" {
                        (token(caller)) input type="hidden" name="id" value=(made.id);
                        button.danger data-confirm="Programs that use this token will be refused. Take it back?" { "Take back" }
                    } }
                } } }
            }
        }
        form.card.form method="post" action="/account/tokens" {
            (token(caller))
            div { label for="name" { "What will use it" } input #name name="name" required maxlength="80"; }
            button { "Make a token" }
        }
        @if caller.by == By::Session {
            h2 { "Password" }
            form.card.form method="post" action="/account/password" {
                (token(caller))
                div { label for="old" { "Old password" } input #old type="password" name="old" required autocomplete="current-password"; }
                div { label for="new" { "New password, at least 8 characters" } input #new type="password" name="new" required minlength="8" autocomplete="new-password"; }
                button { "Change it" }
            }
        }
    };
    Ok(of_caller(caller, "Your account", body))
}

/// Changes the password; every session ends with the old one.
pub async fn change_password(
    State(studio): State<Arc<Studio>>,
    caller: Caller,
    form: Fields,
) -> Result<Response, Refusal> {
    if caller.by != By::Session {
        return Err(Refusal::Forbidden("a password is changed by whoever has logged in with it".to_owned()));
    }
    if !password::matches(form.get("old"), caller.user.password.clone()).await {
        return Err(Refusal::Invalid("the old password is another one".to_owned()));
    }
    let new = form.get("new");
    let hash = tokio::task::spawn_blocking(move || password::hash(&new)).await;
    let hash = hash.map_err(|panic| Refusal::Failed(panic.to_string()))?;
    let hash = hash.map_err(|error| Refusal::Invalid(error.to_string()))?;
    studio.store.set_password(caller.user.id, Some(&hash)).await?;
    Ok(to("/login"))
}

/// Makes a token and shows it once.
pub async fn make_token(State(studio): State<Arc<Studio>>, caller: Caller, form: Fields) -> Result<Response, Refusal> {
    let made = tokens::made(&studio, &caller, &form.get("name")).await?;
    Ok(page(&studio, &caller, Some(&made)).await?.into_response())
}

/// Takes a token back.
pub async fn revoke_token(
    State(studio): State<Arc<Studio>>,
    caller: Caller,
    form: Fields,
) -> Result<Response, Refusal> {
    studio.store.revoke(caller.user.id, &form.get("id")).await?;
    Ok(to("/account"))
}
