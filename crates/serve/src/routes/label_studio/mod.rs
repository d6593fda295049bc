//! Label Studio's ML backend: its labelling configuration is read, its tasks get predictions, and what annotators submit is stored.

mod configuration;
mod submitted;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, extract::State};
use schema::{
    Entity,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use self::configuration::Configuration;
use super::{asked::Asked, operations::Refusals};
use crate::{App, Refusal};

/// Projects whose configuration is remembered.
const MOST_PROJECTS: usize = 1_000;

/// The labelling configurations of projects, as `/setup` gave them.
#[derive(Default)]
pub(crate) struct Labelling(Mutex<HashMap<String, Configuration>>);

impl Labelling {
    fn remember(&self, project: String, configuration: Configuration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_PROJECTS || known.contains_key(&project) {
            known.insert(project, configuration);
        }
    }

    fn of(&self, project: &str) -> Option<Configuration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(project).cloned()
    }
}

/// What Label Studio sends when a backend is connected.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SetupRequest {
    /// The project.
    #[schema(value_type = Option<String>)]
    project: Option<Value>,
    /// The labelling configuration, in XML.
    schema: Option<String>,
}

/// The version of the model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupAnswer {
    model_version: String,
}

/// Tasks to predict.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PredictRequest {
    /// The tasks, with their data.
    tasks: Vec<Task>,
    /// The project, whose configuration `/setup` gave.
    #[schema(value_type = Option<String>)]
    project: Option<Value>,
    /// The labelling configuration, in XML.
    label_config: Option<String>,
}

/// A task.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Task {
    /// Its data by the names that the configuration has for it.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// One prediction a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PredictAnswer {
    results: Vec<Prediction>,
    /// Labels of the model that the labelling configuration does not have, so that their entities could not be shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels_left_out: Vec<String>,
}

/// The entities of a task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Prediction {
    /// Regions as Label Studio has them.
    #[schema(value_type = Vec<Object>)]
    result: Vec<Value>,
    /// The mean score of the entities.
    score: f32,
    model_version: String,
}

/// Predictions for Label Studio's tasks
#[utoipa::path(
    post, path = "/label-studio/predict", tag = "Label Studio", request_body = PredictRequest,
    responses((status = 200, body = PredictAnswer), Refusals)
)]
pub(crate) async fn predict(State(app): State<Arc<App>>, asked: Asked) -> Result<Json<PredictAnswer>, Refusal> {
    let request: PredictRequest = asked.json()?;
    let model = app.model(None)?;
    let configuration = match &request.label_config {
        Some(xml) if !xml.trim().is_empty() => Configuration::read(xml)?,
        _ => request.project.as_ref().and_then(|project| app.labelling.of(&named(project))).unwrap_or_default(),
    };
    let text = |(index, task): (usize, &Task)| match task.data.get(&configuration.field) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(Refusal::Invalid(format!(
            "task {index} has no text in `data.{}`, which the labelling configuration names",
            configuration.field
        ))),
    };
    let texts: Vec<String> = request.tasks.iter().enumerate().map(text).collect::<Result<_, _>>()?;
    let texts = Arc::new(texts);
    let judged = app.entities(&model, &texts, &asked.worked).await?;
    let mut left_out = Vec::new();
    let results = texts.iter().zip(&judged).map(|(text, judged)| {
        let offsets = Offsets::new(text, Unit::CodePoints);
        let mut result = Vec::new();
        for (index, entity) in judged.found.iter().enumerate() {
            match configuration.label(entity.label.as_str()) {
                Some(label) => result.push(configuration.region(index, text, &offsets, entity, &label)),
                None => left_out.push(entity.label.as_str().to_owned()),
            }
        }
        Prediction { result, score: mean(&judged.found), model_version: model.described() }
    });
    let results = results.collect();
    left_out.sort_unstable();
    left_out.dedup();
    Ok(Json(PredictAnswer { results, labels_left_out: left_out }))
}

/// Connect a project
#[utoipa::path(
    post, path = "/label-studio/setup", tag = "Label Studio", request_body = SetupRequest,
    responses((status = 200, body = SetupAnswer), Refusals)
)]
pub(crate) async fn setup(State(app): State<Arc<App>>, asked: Asked) -> Result<Json<SetupAnswer>, Refusal> {
    let request: SetupRequest = asked.json()?;
    let model = app.model(None)?;
    if let (Some(project), Some(xml)) = (&request.project, request.schema.filter(|xml| !xml.trim().is_empty())) {
        app.labelling.remember(named(project), Configuration::read(&xml)?);
    }
    Ok(Json(SetupAnswer { model_version: model.described() }))
}

/// Store what annotators submit
///
/// Created, changed and deleted annotations are appended, with their task, as a line of Label Studio's JSON to the file that the
/// server's setting `annotations` names. Other events change nothing.
#[utoipa::path(
    post, path = "/label-studio/webhook", tag = "Label Studio", request_body = Value,
    responses((status = 200, body = Value), Refusals)
)]
pub(crate) async fn webhook(State(app): State<Arc<App>>, asked: Asked) -> Result<Json<Value>, Refusal> {
    let event: Map<String, Value> = asked.json()?;
    let lines = submitted::lines(&event)?;
    if lines.is_empty() {
        return Ok(Json(json!({"stored": 0})));
    }
    let Some(path) = app.config.annotations.clone() else {
        return Err(Refusal::NotFound(
            "this server stores no annotations; its setting `annotations` names the file for them".to_owned(),
        ));
    };
    let stored = lines.len();
    let task = tokio::task::spawn_blocking(move || submitted::append(&path, &lines));
    if let Err(error) = task.await.map_err(|_| Refusal::Failed)? {
        app.observer.failed(&format!("an annotation could not be stored: {error}"));
        return Err(Refusal::Failed);
    }
    Ok(Json(json!({"stored": stored})))
}

/// Whether the backend lives
#[utoipa::path(
    get, path = "/label-studio/health", tag = "Label Studio",
    responses((status = 200, body = Value), (status = 403, body = super::operations::Problem))
)]
pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "UP", "model_class": "Nomen"}))
}

/// A project's name: Label Studio writes its number, with or without a time behind it.
fn named(project: &Value) -> String {
    let text = project.as_str().map_or_else(|| project.to_string(), str::to_owned);
    text.split('.').next().unwrap_or_default().chars().take(64).collect()
}

fn mean(entities: &[Entity]) -> f32 {
    let scores: Vec<f32> = entities.iter().filter_map(|entity| entity.score).collect();
    if scores.is_empty() { 0.0 } else { scores.iter().sum::<f32>() / scores.len() as f32 }
}
