//! What pages load beside themselves.

use axum::{
    http::{Uri, header},
    response::{IntoResponse as _, Response},
};

use crate::studio::{Refusal, access::Member, assets, colours};

/// A file by its path, which has a hash in it: it never changes there.
pub async fn file(uri: Uri) -> Result<Response, Refusal> {
    let asset = assets::find(uri.path()).ok_or_else(|| Refusal::NotFound("there is no such file".to_owned()))?;
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.body).into_response())
}

/// The colours of a project's labels.
pub async fn labels(member: Member) -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], colours::style_sheet(&member.project.schema)).into_response()
}
