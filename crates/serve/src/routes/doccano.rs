//! doccano's auto-labelling: a text in, spans out.

use std::sync::Arc;

use axum::{Json, extract::State};
use schema::offset::Offsets;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::Asked;
use crate::{App, Refusal};

/// A text, as doccano's template for a custom REST request sends it.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DoccanoRequest {
    /// The text.
    text: String,
}

/// A span, as doccano's template maps it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DoccanoSpan {
    /// Where it starts, in code points.
    start_offset: usize,
    /// Where it ends, exclusive.
    end_offset: usize,
    /// Its label.
    label: String,
}

/// The spans of a text for doccano
#[utoipa::path(
    post, path = "/doccano", tag = "doccano", request_body = DoccanoRequest,
    params(("offsets" = Option<super::operations::OffsetUnit>, Query, description = "Unit of start and end")),
    responses((status = 200, body = Vec<DoccanoSpan>), super::operations::Refusals)
)]
pub(crate) async fn label(State(app): State<Arc<App>>, asked: Asked) -> Result<Json<Vec<DoccanoSpan>>, Refusal> {
    let DoccanoRequest { text } = asked.json()?;
    let model = app.model(None)?;
    let texts = Arc::new(vec![text]);
    let judged = app.entities(&model, &texts, &asked.worked).await?;
    let offsets = Offsets::new(&texts[0], asked.unit);
    let spans = judged.iter().flat_map(|judged| &judged.found).map(|entity| {
        let (start_offset, end_offset) = offsets.of(entity.span);
        DoccanoSpan { start_offset, end_offset, label: entity.label.as_str().to_owned() }
    });
    Ok(Json(spans.collect()))
}
