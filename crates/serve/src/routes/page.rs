//! A page on which the server can be tried.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// Nothing from elsewhere, and no other page around this one.
const POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A page on which the server can be tried
#[utoipa::path(
    get, path = "/", tag = "operations",
    responses((status = 200, body = String, content_type = "text/html"), (status = 403, body = super::operations::Problem))
)]
pub(crate) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("page.html")).into_response()
}
