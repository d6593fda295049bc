//! What every answer carries, and how pages say that something went wrong.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use maud::html;

use super::{
    Refusal, Studio,
    access::{By, Visitor},
    page::{self, Head, User},
    pages::login,
};

/// Nothing from elsewhere, nothing inline, and no other page around this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Without an address of the page that a link on it leads away from.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Puts headers on an answer, tells whoever runs the studio of failures, and makes a page of a refusal that a page got.
pub async fn dressed(State(studio): State<Arc<Studio>>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let is_read = request.method().is_safe();
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions().get::<Refusal>().cloned() {
        if let Refusal::Failed(problem) = &refusal {
            studio.failed(problem);
        }
        if !path.starts_with("/api/") {
            response = shown(&refusal, &response, &path, is_read);
        }
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What a page says is for whoever asked, and nobody finds it in a cache afterwards.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn shown(refusal: &Refusal, response: &Response, path: &str, is_read: bool) -> Response {
    let (status, _) = refusal.status();
    let visitor = response.extensions().get::<Visitor>().cloned();
    let body = match visitor {
        // The login page stands in the place of the page that it is needed for.
        Some(visitor) if status == StatusCode::UNAUTHORIZED => {
            login::page(&visitor, if is_read { path } else { "/" }, None)
        }
        visitor => {
            let (csrf, theme) = visitor.as_ref().map_or_else(Default::default, |known| (&*known.csrf, known.theme));
            let user = visitor.as_ref().and_then(|visitor| visitor.user.as_ref());
            let user = user.map(|(user, by)| User { name: &user.name, signed_in: *by == By::Session });
            let head = Head { title: "Not done", active: None, user, project: None, csrf, theme };
            let said = refusal.to_string();
            let body = html! {
                div.empty {
                    h1 { (status.canonical_reason().unwrap_or("Not done")) }
                    p { (said) }
                    p { a href="/" { "All projects" } }
                }
            };
            page::layout(head, body)
        }
    };
    let mut page = (status, body).into_response();
    for name in [header::SET_COOKIE, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}
