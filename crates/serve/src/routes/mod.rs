//! One file a dialect. All of them are thin: they read a request, ask [`App`] and write the answer as their tools want it.

mod answered;
mod asked;
mod doccano;
mod hugging_face;
mod label_studio;
mod models;
mod nomen;
mod open_inference;
mod operations;
mod page;
mod stream;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRequestParts,
    http::request::Parts,
    middleware,
    routing::{get, post},
};
use serde_json::Value;
use utoipa::OpenApi;

pub(crate) use asked::bytes_of_bodies;
pub(crate) use label_studio::Labelling;

use crate::{App, Refusal, access::Guard};

/// A route: its template, which is also its name among the metrics, and who may use it.
struct Route(&'static str, Guard);

const ROUTES: &[Route] = &[
    Route("/", Guard::Key),
    Route("/models/{name}", Guard::Key),
    Route("/v1/tag", Guard::Key),
    Route("/v1/tag/stream", Guard::Key),
    Route("/v2", Guard::Key),
    Route("/v2/health/live", Guard::Open),
    Route("/v2/health/ready", Guard::Open),
    Route("/v2/models/{name}", Guard::Key),
    Route("/v2/models/{name}/ready", Guard::Key),
    Route("/v2/models/{name}/infer", Guard::Key),
    Route("/label-studio/predict", Guard::Key),
    Route("/label-studio/setup", Guard::Key),
    Route("/label-studio/webhook", Guard::Key),
    Route("/label-studio/health", Guard::Open),
    Route("/doccano", Guard::Key),
    Route("/health", Guard::Open),
    Route("/health/live", Guard::Open),
    Route("/health/ready", Guard::Open),
    Route("/info", Guard::Key),
    Route("/metrics", Guard::Key),
    Route("/openapi.json", Guard::Open),
    Route("/admin/models/{name}/load", Guard::Admin),
];
/// The name of all that is no route.
const OTHER: &str = "other";

/// What every dialect answers, as a document of `OpenAPI` 3.1.
#[derive(OpenApi)]
#[openapi(
    info(title = "Nomen", description = "Named entity recognition over HTTP, in the dialects of several tools"),
    paths(
        nomen::tag,
        stream::tag_stream,
        hugging_face::classify,
        hugging_face::classify_by,
        open_inference::server,
        open_inference::live,
        open_inference::ready,
        open_inference::model,
        open_inference::model_ready,
        open_inference::infer,
        label_studio::predict,
        label_studio::setup,
        label_studio::webhook,
        label_studio::health,
        doccano::label,
        operations::health,
        operations::live,
        operations::ready,
        operations::info,
        operations::metrics,
        operations::openapi,
        models::load,
        page::page,
    ),
    components(schemas(operations::OffsetUnit))
)]
struct Api;

/// The server's description of itself, an `OpenAPI` document.
pub fn openapi() -> Value {
    let mut document = serde_json::to_value(Api::openapi()).unwrap_or_default();
    // An empty list is an answer for one text and for several, and `oneOf` is exclusive.
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        for schema in schemas.values_mut().filter_map(Value::as_object_mut) {
            if let Some(kinds) = schema.remove("oneOf") {
                schema.insert("anyOf".to_owned(), kinds);
            }
        }
    }
    document
}

/// All routes of a server.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", get(page::page).post(hugging_face::classify))
        .route("/models/{name}", post(hugging_face::classify_by))
        .route("/v1/tag", post(nomen::tag))
        .route("/v1/tag/stream", post(stream::tag_stream))
        .route("/v2", get(open_inference::server))
        .route("/v2/health/live", get(open_inference::live))
        .route("/v2/health/ready", get(open_inference::ready))
        .route("/v2/models/{name}", get(open_inference::model))
        .route("/v2/models/{name}/ready", get(open_inference::model_ready))
        .route("/v2/models/{name}/infer", post(open_inference::infer))
        .route("/label-studio/predict", post(label_studio::predict))
        .route("/label-studio/setup", post(label_studio::setup))
        .route("/label-studio/webhook", post(label_studio::webhook))
        .route("/label-studio/health", get(label_studio::health))
        .route("/doccano", post(doccano::label))
        .route("/health", get(operations::health))
        .route("/health/live", get(operations::live))
        .route("/health/ready", get(operations::ready))
        .route("/info", get(operations::info))
        .route("/metrics", get(operations::metrics))
        .route("/openapi.json", get(operations::openapi))
        .route("/admin/models/{name}/load", post(models::load))
        .method_not_allowed_fallback(other_method)
        .fallback(no_route)
        .layer(middleware::from_fn_with_state(Arc::clone(app), answered::answered))
        .with_state(Arc::clone(app))
}

/// Part of a path between two slashes.
pub(crate) struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Refusal::NotFound("the name in the path is no text".to_owned()))
    }
}

async fn no_route() -> Refusal {
    Refusal::NotFound("there is no such route; GET /openapi.json lists them all".to_owned())
}

async fn other_method() -> Refusal {
    Refusal::Method("another method; GET /openapi.json lists them all".to_owned())
}

/// The name of a route and who may use it.
fn known(template: Option<&str>, method: &axum::http::Method) -> (&'static str, Guard) {
    let route = template.and_then(|template| ROUTES.iter().find(|Route(name, _)| *name == template));
    match route {
        // The page asks for a key itself.
        Some(Route("/", _)) if method == axum::http::Method::GET => ("/", Guard::Open),
        Some(Route(name, guard)) => (name, *guard),
        None => (OTHER, Guard::Key),
    }
}
