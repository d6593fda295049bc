//! Nomen's own dialect.

use std::sync::Arc;

use axum::{Json, extract::State};
use schema::{
    Entity,
    offset::{Offsets, Unit},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::Asked;
use crate::{App, Live, Refusal, app::Judged};

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagRequest {
    /// The texts.
    #[schema(examples(json!(["Anna moved to Rome."])))]
    texts: Vec<String>,
    /// The model; the default one where none is named.
    model: Option<String>,
    /// The labels that are wanted; all where none are named.
    labels: Option<Vec<String>>,
    /// The least score of an entity.
    #[schema(minimum = 0, maximum = 1)]
    threshold: Option<f32>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TagAnswer {
    /// The model that answered, as NAME@VERSION.
    model: String,
    /// One result a text, in the order of the texts.
    results: Vec<TextAnswer>,
}

/// What was found in a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TextAnswer {
    /// Sorted by start, without overlaps.
    pub entities: Vec<EntityAnswer>,
    /// Windows in which the text was read: long ones take several.
    pub windows: usize,
}

/// An entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntityAnswer {
    /// Where it starts, in code points or what `offsets` names.
    start: usize,
    /// Where it ends, exclusive.
    end: usize,
    /// Its label.
    label: String,
    /// Its words.
    text: String,
    /// The model's probability of it, 0 to 1.
    score: Option<f32>,
}

/// What a caller wants of the entities.
pub(crate) struct Wanted {
    labels: Option<Vec<String>>,
    threshold: f32,
}

impl Wanted {
    /// The wish, if the model can fulfil it.
    pub fn new(model: &Live, labels: Option<Vec<String>>, threshold: Option<f32>) -> Result<Self, Refusal> {
        let threshold = threshold.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Refusal::Invalid("`threshold` must lie between 0 and 1".to_owned()));
        }
        let known = model.labels();
        if let Some(label) = labels.iter().flatten().find(|label| !known.contains(&label.as_str())) {
            let label: String = label.chars().take(64).collect();
            return Err(Refusal::Invalid(format!(
                "the model does not know the label `{label}`; it knows {}",
                known.join(", ")
            )));
        }
        Ok(Self { labels, threshold })
    }

    /// A text's answer.
    pub fn of(&self, text: &str, judged: &Judged<Vec<Entity>>, unit: Unit) -> TextAnswer {
        let offsets = Offsets::new(text, unit);
        let entities = judged.found.iter().filter(|entity| self.wants(entity)).map(|entity| {
            let (start, end) = offsets.of(entity.span);
            EntityAnswer {
                start,
                end,
                label: entity.label.as_str().to_owned(),
                text: entity.span.quote(text).to_owned(),
                score: entity.score,
            }
        });
        TextAnswer { entities: entities.collect(), windows: judged.windows }
    }

    fn wants(&self, entity: &Entity) -> bool {
        let label = entity.label.as_str();
        self.labels.as_ref().is_none_or(|labels| labels.iter().any(|wanted| wanted == label))
            && entity.score.is_none_or(|score| score >= self.threshold)
    }
}

/// The entities of texts
#[utoipa::path(
    post, path = "/v1/tag", tag = "Nomen", request_body = TagRequest,
    params(("offsets" = Option<super::operations::OffsetUnit>, Query, description = "Unit of start and end")),
    responses((status = 200, body = TagAnswer), super::operations::Refusals)
)]
pub(crate) async fn tag(State(app): State<Arc<App>>, asked: Asked) -> Result<Json<TagAnswer>, Refusal> {
    let request: TagRequest = asked.json()?;
    let model = app.model(request.model.as_deref())?;
    let wanted = Wanted::new(&model, request.labels, request.threshold)?;
    let texts = Arc::new(request.texts);
    let judged = app.entities(&model, &texts, &asked.worked).await?;
    let results = texts.iter().zip(&judged).map(|(text, judged)| wanted.of(text, judged, asked.unit)).collect();
    Ok(Json(TagAnswer { model: model.described(), results }))
}
