//! What operators ask: whether the server lives, what it serves, and how it does.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};

use crate::{App, Refusal};

/// Why a request got no answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// In words.
    error: String,
    /// In a word, for programs.
    error_type: String,
}

/// The unit of offsets.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a query parameter")]
pub(crate) enum OffsetUnit {
    /// Unicode code points, as Python counts.
    Codepoints,
    /// UTF-16 units, as JavaScript counts.
    Utf16,
    /// UTF-8 bytes.
    Bytes,
}

/// Every way in which a request can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses")]
pub(crate) enum Refusals {
    /// The body is no JSON, no UTF-8 or ended too early
    #[response(status = 400)]
    Malformed(Problem),
    /// The key is missing or unknown
    #[response(status = 401)]
    Unauthorized(Problem),
    /// The host, the origin or the key may not do this
    #[response(status = 403)]
    Forbidden(Problem),
    /// There is no such model
    #[response(status = 404)]
    NotFound(Problem),
    /// The route takes another method
    #[response(status = 405)]
    Method(Problem),
    /// The body came too slowly
    #[response(status = 408)]
    Slow(Problem),
    /// Too many bytes, texts or word pieces
    #[response(status = 413)]
    TooLarge(Problem),
    /// The body is packed in a way that the server does not know
    #[response(status = 415)]
    Encoding(Problem),
    /// The body is JSON and not what the route takes
    #[response(status = 422)]
    Invalid(Problem),
    /// The server is busy, or the key asks too often; `Retry-After` says when to come again
    #[response(status = 429)]
    Busy(Problem),
    /// The model failed
    #[response(status = 500)]
    Failed(Problem),
    /// No model is there yet, the server is stopping, or the answer would have come too late
    #[response(status = 503)]
    Unavailable(Problem),
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `not ready`.
    status: &'static str,
    /// Whether requests are answered.
    ready: bool,
    /// The models and the version of each.
    models: Vec<ModelState>,
}

/// A model's state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelState {
    /// Its name.
    name: String,
    /// The version that answers; none while it is loaded for the first time.
    version: Option<String>,
    /// Why its last load failed, where another version still answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// What the server serves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Info {
    /// `nomen`.
    name: &'static str,
    /// The program's version.
    version: &'static str,
    /// The model of requests that name none.
    default: String,
    /// Each model with its labels, scores, base and settings.
    models: Vec<ModelCard>,
    /// How much may be asked at once.
    limits: Value,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelCard {
    /// Its name.
    name: String,
    /// The hash of its weights.
    version: String,
    /// What its bundle says of it.
    #[serde(flatten)]
    card: Value,
}

/// How the server is
#[utoipa::path(
    get, path = "/health", tag = "operations",
    responses((status = 200, body = Health), (status = 503, body = Health), (status = 403, body = Problem))
)]
pub(crate) async fn health(State(app): State<Arc<App>>) -> Response {
    let is_ready = app.is_ready();
    let state = |name: &String| ModelState {
        name: name.clone(),
        version: app.models.get(Some(name)).map(|live| live.version.clone()),
        problem: app.models.problem(name),
    };
    let models = app.models.names().iter().map(state).collect();
    let health = Health { status: if is_ready { "ok" } else { "not ready" }, ready: is_ready, models };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

/// Whether the server lives
#[utoipa::path(
    get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "It does"), (status = 403, body = Problem))
)]
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Whether requests are answered
#[utoipa::path(
    get, path = "/health/ready", tag = "operations",
    responses((status = 200, description = "They are"), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Refusal> {
    if app.is_ready() { Ok("ok\n") } else { Err(not_ready()) }
}

pub(super) fn not_ready() -> Refusal {
    Refusal::Unavailable("not all models are loaded, or the server is stopping".to_owned())
}

/// What the server serves
#[utoipa::path(get, path = "/info", tag = "operations", responses((status = 200, body = Info), Refusals))]
pub(crate) async fn info(State(app): State<Arc<App>>) -> Json<Info> {
    let card = |live: Arc<crate::Live>| ModelCard {
        name: live.name.clone(),
        version: live.version.clone(),
        card: live.card.clone(),
    };
    Json(Info {
        name: "nomen",
        version: env!("CARGO_PKG_VERSION"),
        default: app.models.default_name().to_owned(),
        models: app.models.all().into_iter().map(card).collect(),
        limits: serde_json::to_value(&app.config.limits).unwrap_or_default(),
    })
}

/// Metrics in the text format of Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, content_type = "application/openmetrics-text", body = String), Refusals)
)]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let live = app.models.all();
    app.metrics.models(live.iter().map(|live| (live.name.as_str(), live.version.as_str())));
    let text = app.metrics.text(app.queue.pieces(), app.is_ready());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// This description
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, body = Value), (status = 403, body = Problem))
)]
pub(crate) async fn openapi() -> Response {
    Json(super::openapi()).into_response()
}
