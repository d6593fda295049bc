//! Training runs.

use std::{
    convert::Infallible,
    path::{Path as File, PathBuf},
    sync::Arc,
};

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::sse::{Event, KeepAlive, Sse},
};
use evaluate::ErrorCase;
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Layer, RunId, RunState};
use utoipa::ToSchema;

use super::{problem::Refusals, queue};
use crate::studio::{
    Refusal, Stop, Studio,
    access::Member,
    body::Json,
    path::Path,
    runs::{self, Wanted, Worst},
};

/// A run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// `running`, `finished`, `failed` or `stopped`.
    pub state: String,
    /// The command that was started.
    pub command: Vec<String>,
    /// When it began, in milliseconds since 1970.
    pub begun: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// What it said when it failed.
    pub told: String,
    /// Steps so far.
    pub steps: u64,
    /// The loss of the last step.
    pub loss: Option<f64>,
    /// F1 of the best evaluation on the dev set.
    pub best: Option<f64>,
}

/// A run to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewRun {
    /// The base model's spec, such as `minilm`; the default where it is empty.
    #[serde(default)]
    base: String,
    /// Settings as `key=value`, such as `max_steps=100`.
    #[serde(default)]
    settings: Vec<String>,
    /// `random`, `uncertainty`, `diversity` or `mixed`: the best model then tags what is open, its finds become suggestions, and
    /// the queue is ranked by them; empty to leave the queue as it is.
    #[serde(default)]
    order: String,
}

/// What a run's best model got wrong on the dev set.
#[derive(Debug, Serialize, ToSchema)]
pub struct Wrong {
    /// All errors; none while the model has not been tried.
    total: Option<usize>,
    /// The worst of each kind: the number of the `document`, and what is wrong there.
    #[schema(value_type = Vec<Object>)]
    worst: Vec<ErrorCase>,
}

/// A run as its events tell it.
pub fn told(run: &store::Run) -> Run {
    let events = runs::events(File::new(&run.started.folder));
    let of = |name: &'static str| events.iter().filter(move |event| event["event"] == name);
    let last = of("step").next_back();
    let best = of("evaluation").filter_map(|event| event["ents_f"].as_f64()).max_by(f64::total_cmp);
    Run {
        id: run.id.0,
        state: run.state.to_string(),
        command: run.started.command.clone(),
        begun: run.begun,
        ended: run.ended,
        told: run.told.clone(),
        steps: last.and_then(|event| event["step"].as_u64()).unwrap_or(0),
        loss: last.and_then(|event| event["loss"].as_f64()),
        best,
    }
}

/// The run that a path names, if it is one of the project.
pub async fn of(studio: &Studio, member: &Member, path: &Path) -> Result<store::Run, Refusal> {
    let run = studio.store.run(RunId(path.id("run")?)).await?;
    let is_theirs = run.started.project == Some(member.project.id);
    if is_theirs { Ok(run) } else { Err(Refusal::NotFound(format!("there is no run {} in this project", run.id.0))) }
}

/// What a run's best model got wrong. Reading it may take long.
pub async fn worst(run: &store::Run) -> Result<Option<Worst>, Refusal> {
    if run.state == RunState::Running {
        return Ok(None);
    }
    let folder = PathBuf::from(&run.started.folder);
    let worst = tokio::task::spawn_blocking(move || runs::worst(&folder)).await;
    worst.map_err(|panic| Refusal::Failed(panic.to_string()))?
}

/// Puts the documents that a run's best model got wrong at the head of the queue.
///
/// # Errors
/// There are none, or the database fails.
pub async fn send_errors(studio: &Studio, member: &Member, run: &store::Run) -> Result<usize, Refusal> {
    let worst = worst(run).await?.unwrap_or_default();
    let mut documents: Vec<(u32, f64, String)> = Vec::new();
    for (number, case) in worst.cases {
        if !documents.iter().any(|(known, ..)| *known == number) {
            let said = case.predicted.or(case.gold).map(|mention| mention.text).unwrap_or_default();
            documents.push((number, queue::SENT, format!("run {} was wrong about “{said}”", run.id.0)));
        }
    }
    if documents.is_empty() {
        return Err(Refusal::Invalid("this run left no errors to send".to_owned()));
    }
    studio.store.send_back(member.project.id, Layer::First, &documents).await?;
    Ok(documents.len())
}

/// The runs of a project, the newest first
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/runs", tag = "runs", params(("project" = String, Path)),
    responses((status = 200, body = Vec<Run>), Refusals)
)]
pub async fn list(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Vec<Run>>, Refusal> {
    Ok(axum::Json(studio.store.runs(member.project.id).await?.iter().map(told).collect()))
}

/// Starts a training run on what is accepted, as a process of its own
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/runs", tag = "runs", params(("project" = String, Path)), request_body = NewRun,
    responses((status = 200, body = Run), Refusals)
)]
pub async fn start(
    State(studio): State<Arc<Studio>>,
    member: Member,
    Json(wanted): Json<NewRun>,
) -> Result<axum::Json<Run>, Refusal> {
    let order = queue::order_named(&wanted.order)?;
    let wanted = Wanted { base: wanted.base, settings: wanted.settings, order };
    Ok(axum::Json(told(&studio.runs.start(&member.project, wanted).await?)))
}

/// A run
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/runs/{run}", tag = "runs",
    params(("project" = String, Path), ("run" = i64, Path)), responses((status = 200, body = Run), Refusals)
)]
pub async fn one(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<axum::Json<Run>, Refusal> {
    Ok(axum::Json(told(&of(&studio, &member, &path).await?)))
}

/// A run's events so far and those that come, as server-sent events
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/runs/{run}/events", tag = "runs",
    params(("project" = String, Path), ("run" = i64, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream"), Refusals)
)]
pub async fn events(
    State(studio): State<Arc<Studio>>,
    Extension(Stop(stop)): Extension<Stop>,
    member: Member,
    path: Path,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let run = of(&studio, &member, &path).await?;
    let followed = runs::follow(studio.store.clone(), run.id, File::new(&run.started.folder), stop);
    Ok(Sse::new(followed).keep_alive(KeepAlive::default()))
}

/// Asks a run to save and leave
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/runs/{run}/stop", tag = "runs",
    params(("project" = String, Path), ("run" = i64, Path)), responses((status = 204), Refusals)
)]
pub async fn stop(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<StatusCode, Refusal> {
    let run = of(&studio, &member, &path).await?;
    studio.runs.stop(run.id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a run's best model got wrong on the dev set, in its text
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/runs/{run}/errors", tag = "runs",
    params(("project" = String, Path), ("run" = i64, Path)), responses((status = 200, body = Wrong), Refusals)
)]
pub async fn errors(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
) -> Result<axum::Json<Wrong>, Refusal> {
    let worst = worst(&of(&studio, &member, &path).await?).await?;
    let total = worst.as_ref().map(|worst| worst.total);
    // The position among the judged ones says nothing outside; the number does.
    let numbered = |(number, case): (u32, ErrorCase)| ErrorCase { document: number as usize, ..case };
    let worst = worst.unwrap_or_default().cases.into_iter().map(numbered).collect();
    Ok(axum::Json(Wrong { total, worst }))
}

/// Puts the documents that a run's best model got wrong at the head of the queue
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/runs/{run}/queue", tag = "runs",
    params(("project" = String, Path), ("run" = i64, Path)), responses((status = 200, body = Object), Refusals)
)]
pub async fn send(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<axum::Json<Value>, Refusal> {
    let run = of(&studio, &member, &path).await?;
    Ok(axum::Json(serde_json::json!({"documents": send_errors(&studio, &member, &run).await?})))
}
