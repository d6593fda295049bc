//! Hugging Face's token classification, as its inference services and clients speak it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use schema::offset::{Offsets, Unit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Named,
    asked::Asked,
    operations::{OffsetUnit, Refusals},
};
use crate::{
    App, Live, Piece, Refusal,
    aggregation::{Group, Strategy, aggregate},
};

/// What transformers leaves out where nobody says otherwise.
const IGNORED: &str = "O";

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ClassificationRequest {
    /// A text or several.
    inputs: Inputs,
    /// How pieces become groups.
    #[serde(default)]
    parameters: Option<ClassificationParameters>,
}

/// A text or several.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Inputs {
    /// One text; the answer is a list of groups.
    One(String),
    /// Several; the answer is a list of groups for each.
    Many(Vec<String>),
}

/// How pieces become groups.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct ClassificationParameters {
    /// `none`, `simple`, `first`, `average` or `max`; `simple` where none is named.
    aggregation_strategy: Option<String>,
    /// Tags and labels that are left out; `O` where none are named.
    ignore_labels: Option<Vec<String>>,
}

/// A group of pieces that have one label.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClassifiedGroup {
    /// Its label, but with the strategy `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_group: Option<String>,
    /// Its tag, with the strategy `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
    /// The model's probability.
    score: f32,
    /// Position among the pieces, with the strategy `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    /// The pieces, as the tokenizer writes them.
    word: String,
    /// Where it starts, in code points or what `offsets` names.
    start: usize,
    /// Where it ends, exclusive.
    end: usize,
}

/// Groups of one text, or of each of several.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Classified {
    /// Of one text.
    One(Vec<ClassifiedGroup>),
    /// Of each of several.
    Many(Vec<Vec<ClassifiedGroup>>),
}

/// Token classification by the default model
#[utoipa::path(
    post, path = "/", tag = "Hugging Face", request_body = ClassificationRequest,
    params(("offsets" = Option<OffsetUnit>, Query, description = "Unit of start and end")),
    responses((status = 200, body = Classified), Refusals)
)]
pub(crate) async fn classify(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    classified(&app, None, &asked).await
}

/// Token classification by a model
#[utoipa::path(
    post, path = "/models/{name}", tag = "Hugging Face", request_body = ClassificationRequest,
    params(
        ("name" = String, Path, description = "The model"),
        ("offsets" = Option<OffsetUnit>, Query, description = "Unit of start and end")
    ),
    responses((status = 200, body = Classified), Refusals)
)]
pub(crate) async fn classify_by(
    State(app): State<Arc<App>>,
    Named(name): Named,
    asked: Asked,
) -> Result<Response, Refusal> {
    classified(&app, Some(&name), &asked).await
}

async fn classified(app: &App, name: Option<&str>, asked: &Asked) -> Result<Response, Refusal> {
    let request: ClassificationRequest = asked.json()?;
    let model = app.model(name)?;
    let parameters = request.parameters.unwrap_or_default();
    let strategy: Strategy = match parameters.aggregation_strategy {
        None => Strategy::Simple,
        Some(name) => name.parse().map_err(|_| {
            let known: Vec<&str> = Strategy::ALL.into_iter().map(Strategy::name).collect();
            Refusal::Invalid(format!("`aggregation_strategy` must be one of {}", known.join(", ")))
        })?,
    };
    let ignored = parameters.ignore_labels.unwrap_or_else(|| vec![IGNORED.to_owned()]);
    let (texts, is_one) = match request.inputs {
        Inputs::One(text) => (vec![text], true),
        Inputs::Many(texts) => (texts, false),
    };
    let texts = Arc::new(texts);
    let pieces = app.pieces(&model, &texts, &asked.worked).await?;
    let mut all: Vec<Vec<ClassifiedGroup>> = texts
        .iter()
        .zip(&pieces)
        .map(|(text, pieces)| groups(&model, text, pieces, strategy, &ignored, asked.unit))
        .collect();
    let answer = if is_one { Classified::One(all.pop().unwrap_or_default()) } else { Classified::Many(all) };
    Ok(Json(answer).into_response())
}

fn groups(
    model: &Live,
    text: &str,
    pieces: &[Piece],
    strategy: Strategy,
    ignored: &[String],
    unit: Unit,
) -> Vec<ClassifiedGroup> {
    let groups = aggregate(strategy, pieces, model.tagger.tags(), ignored, |tokens| model.tagger.words(tokens));
    let offsets = Offsets::new(text, unit);
    let group = |Group { name, score, word, range, index }: Group| {
        let is_piece = strategy == Strategy::None;
        ClassifiedGroup {
            entity_group: (!is_piece).then(|| name.clone()),
            entity: is_piece.then_some(name),
            score,
            index,
            word,
            start: offsets.from_byte(range.start),
            end: offsets.from_byte(range.end),
        }
    };
    groups.into_iter().map(group).collect()
}
