//! The JSON interface: everything that the pages do, for programs. One file a resource.

// The macros that describe parameters write paths in full.
#![allow(unused_qualifications)]

pub mod agreement;
pub mod annotations;
pub mod checked;
pub mod documents;
pub mod files;
pub mod label_errors;
pub mod people;
pub mod problem;
pub mod projects;
pub mod quality;
pub mod queue;
pub mod relabel;
pub mod review;
pub mod runs;
pub mod schema;
pub mod tokens;
pub mod wire;

use serde_json::Value;
use utoipa::OpenApi;

/// What the studio answers, as a document of `OpenAPI` 3.1.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Nomen studio",
        description = "Annotating together: documents, annotations with their history, queues, review, runs. Offsets are Unicode code points."
    ),
    paths(
        projects::list,
        projects::create,
        projects::one,
        documents::list,
        documents::one,
        documents::suggestions,
        files::import,
        files::export,
        annotations::save,
        annotations::history,
        annotations::keep_draft,
        annotations::draft,
        annotations::drop_draft,
        queue::next,
        queue::release,
        queue::send,
        queue::order,
        queue::twice,
        review::pair,
        review::conflicts,
        review::settle,
        schema::get,
        schema::put,
        relabel::preview,
        relabel::apply,
        agreement::get,
        quality::findings,
        quality::run,
        checked::put,
        label_errors::list,
        label_errors::dismiss,
        label_errors::of_run,
        runs::list,
        runs::start,
        runs::one,
        runs::events,
        runs::stop,
        runs::errors,
        runs::send,
        people::list,
        people::put,
        people::delete,
        tokens::list,
        tokens::create,
        tokens::delete,
        described,
    )
)]
struct Described;

/// This description
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "projects", responses((status = 200, body = Object)))]
pub async fn described() -> axum::Json<Value> {
    axum::Json(openapi())
}

/// What the studio answers, as a document of `OpenAPI` 3.1.
pub fn openapi() -> Value {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["components"]["securitySchemes"]["token"] = serde_json::json!({"type": "http", "scheme": "bearer"});
    document["security"] = serde_json::json!([{"token": []}]);
    document
}
