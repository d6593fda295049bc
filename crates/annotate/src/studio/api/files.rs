//! Files that come in and go out.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse as _, Response},
};
use corpus::{Format, ReadOptions};
use serde::{Deserialize, Serialize};
use store::Given;
use utoipa::{IntoParams, ToSchema};

use super::problem::Refusals;
use crate::studio::{
    Refusal, Studio,
    access::Member,
    body,
    export::{self, ExportError},
    import::{self, How, ImportError},
};

/// Bytes of a file that comes in; `nomen studio import` takes larger ones.
const FILE: usize = 128 << 20;

/// What a file is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Coming {
    /// The name of the file, for messages
    name: String,
    /// Its format; detected without
    format: String,
    /// Whether its annotations are only something to look at, not decided
    shown: bool,
    /// Whether labels that the project does not have are added to its schema
    add_labels: bool,
}

/// How a project is to leave.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Leaving {
    /// The format; `jsonl` without
    format: String,
    /// Whether documents that nobody accepted leave as well
    all: bool,
    /// Whether every version of every annotation leaves, as JSON lines, in place of the documents
    history: bool,
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// Documents that are new.
    added: u32,
    /// Documents that were there.
    known: u32,
    /// Numbers of those that were there with other annotations; they stay as they were.
    differing: Vec<u32>,
}

/// Adds the documents of a file, all of them or none; the same file again adds nothing
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/documents", tag = "documents", params(("project" = String, Path), Coming),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Done), Refusals)
)]
pub async fn import(
    State(studio): State<Arc<Studio>>,
    member: Member,
    coming: Result<Query<Coming>, QueryRejection>,
    body: Body,
) -> Result<axum::Json<Done>, Refusal> {
    let Query(Coming { name, format, shown, add_labels }) =
        coming.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let bytes = body::whole(body, FILE).await?;
    let format = match &*format {
        "" => None,
        format => Some(format.parse().map_err(|error: corpus::UnknownFormat| Refusal::Invalid(error.to_string()))?),
    };
    let name = if name.is_empty() { "the file".to_owned() } else { name };
    let options = ReadOptions { format, ..ReadOptions::default() };
    let documents = tokio::task::spawn_blocking(move || import::read(&bytes, &name, &options)).await;
    let documents = documents.map_err(|panic| Refusal::Failed(panic.to_string()))?.map_err(refused)?;
    let given = if shown { Given::Shown } else { Given::Decided };
    let how = How { given, adds_labels: add_labels };
    let done = import::documents(&studio.store, &member.project, member.user(), &documents, how).await;
    let done = done.map_err(refused)?;
    Ok(axum::Json(Done { added: done.added, known: done.known, differing: done.differing }))
}

/// The documents of a project as a file; the same state gives the same bytes
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/export", tag = "documents", params(("project" = String, Path), Leaving),
    responses((status = 200, body = String, content_type = "application/octet-stream"), Refusals)
)]
pub async fn export(
    State(studio): State<Arc<Studio>>,
    member: Member,
    leaving: Result<Query<Leaving>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Leaving { format, all, history }) = leaving.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let format: Format = match &*format {
        "" => Format::Jsonl,
        format => format.parse().map_err(|error: corpus::UnknownFormat| Refusal::Invalid(error.to_string()))?,
    };
    let project = member.project.id;
    let unfit = |error| match error {
        ExportError::Store(error) => error.into(),
        error => Refusal::Invalid(error.to_string()),
    };
    let (name, bytes) = if history {
        let mut bytes = Vec::new();
        export::history(&studio.store, project, &mut bytes).await.map_err(unfit)?;
        ("history.jsonl".to_owned(), bytes)
    } else {
        let (bytes, _) = export::bytes(&studio.store, project, !all, format).await.map_err(unfit)?;
        (format!("documents.{}", ending(format)), bytes)
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, bytes).into_response())
}

fn refused(error: ImportError) -> Refusal {
    match error {
        ImportError::Store(error) => error.into(),
        error => Refusal::Invalid(error.to_string()),
    }
}

/// How files of a format end.
fn ending(format: Format) -> &'static str {
    match format {
        Format::Jsonl | Format::Prodigy | Format::Doccano | Format::Huggingface => "jsonl",
        Format::Conll => "conll",
        Format::SpacyList | Format::LabelStudio | Format::Argilla | Format::Gliner => "json",
        Format::SpacyDocbin => "spacy",
        Format::Csv => "csv",
        Format::Tsv => "tsv",
        Format::Text | Format::Markdown | Format::Html => "txt",
    }
}
