//! Logging in and out.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use store::{AccessKind, now};

use crate::studio::{
    Refusal, Studio,
    access::{Visitor, cookie, guard::forwarded_by_tls, password, secret},
    body::Fields,
    page::{self, Head},
};

const DAY_MS: i64 = 86_400_000;

/// Where a request comes from; tests without a socket come from this machine.
pub struct Peer(SocketAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        Ok(Self(peer.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))))
    }
}

/// The page that asks for name and password. `next` is the page that they are asked for.
pub fn page(visitor: &Visitor, next: &str, problem: Option<&str>) -> Markup {
    let head =
        Head { title: "Log in", active: None, user: None, project: None, csrf: &visitor.csrf, theme: visitor.theme };
    let body = html! {
        div.empty {
            h1 { "Log in" }
            p { "Whoever runs this studio gives you a name and a password." }
        }
        form.card.form.login method="post" action="/login" {
            @if let Some(problem) = problem { p.notice.bad role="alert" { (problem) } }
            input type="hidden" name="csrf" value=(visitor.csrf);
            input type="hidden" name="next" value=(next);
            div { label for="name" { "Name" } input #name name="name" autocomplete="username" required autofocus; }
            div {
                label for="password" { "Password" }
                input #password type="password" name="password" autocomplete="current-password" required;
            }
            button.primary { "Log in" }
        }
    };
    page::layout(head, body)
}

/// The login page.
pub async fn show(visitor: Visitor) -> Response {
    if visitor.user.is_some() { to("/") } else { page(&visitor, "/", None).into_response() }
}

/// Opens a session for whoever knows a name and its password.
pub async fn log_in(
    State(studio): State<Arc<Studio>>,
    visitor: Visitor,
    Peer(peer): Peer,
    headers: HeaderMap,
    form: Fields,
) -> Result<Response, Refusal> {
    let (name, given, next) = (form.get("name"), form.get("password"), form.get("next"));
    let next = if is_here(&next) { next } else { "/".to_owned() };
    if studio.local().await?.is_some() {
        return Ok(to("/"));
    }
    studio.attempts.count(&name, peer.ip()).map_err(Refusal::TooOften)?;
    let user = studio.store.user_by_name(&name).await?.filter(|user| !user.disabled);
    let kept = user.as_ref().and_then(|user| user.password.clone());
    let (true, Some(user)) = (password::matches(given, kept).await, user) else {
        let refused = page(&visitor, &next, Some("Name and password do not go together."));
        return Ok((StatusCode::UNAUTHORIZED, refused).into_response());
    };
    studio.attempts.forget(&name, peer.ip());
    // A new secret: one that somebody else may have planted opens nothing.
    let secret = secret::fresh()?;
    let until = now() + cookie::DAYS * DAY_MS;
    studio.store.grant(&secret, user.id, AccessKind::Session, "browser", Some(until)).await?;
    let mut response = to(&next);
    let secure = studio.settings.tls.is_some() || forwarded_by_tls(&headers);
    if let Some(cookie) = cookie::keep(&studio.cookie, &secret, secure) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Ends the session.
pub async fn log_out(State(studio): State<Arc<Studio>>, visitor: Visitor) -> Result<Response, Refusal> {
    studio.store.leave(&visitor.secret).await?;
    let mut response = to("/login");
    if let Some(cookie) = cookie::forget(&studio.cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Whether an address is a page of the studio and nowhere else.
fn is_here(next: &str) -> bool {
    next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n'])
}

/// Sends the browser to a page.
pub fn to(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_login_one_stays_in_the_studio() {
        for next in ["/", "/p/a/annotate", "/p/a/data?text=b"] {
            assert!(is_here(next), "{next}");
        }
        for next in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x", "javascript:x"]
        {
            assert!(!is_here(next), "{next}");
        }
    }
}
