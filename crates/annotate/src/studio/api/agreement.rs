//! How far annotators agree on the texts that two of them annotated.

use std::sync::Arc;

use axum::extract::State;
use evaluate::agreement::{Agreement, Annotated, Between};
use serde::Serialize;
use store::{Project, Store};
use utoipa::ToSchema;

use super::{problem::Refusals, wire::People};
use crate::studio::{Refusal, Studio, access::Member};

/// Documents that are read at once.
const CHUNK: u32 = 500;

/// How far annotators agree.
#[derive(Debug, Serialize, ToSchema)]
pub struct Agreed {
    /// Texts that two people annotated.
    texts: usize,
    /// Their tokens.
    tokens: usize,
    /// Krippendorff's alpha over tokens; none where there is nothing to disagree on.
    alpha: Option<f64>,
    /// Every two annotators who have a text in common.
    pairs: Vec<Pair>,
}

/// How far two annotators agree.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pair {
    /// One of them.
    one: String,
    /// The other.
    other: String,
    /// Texts that both annotated.
    texts: usize,
    /// F1 of entities with equal span and label.
    span_f1: f64,
    /// F1 of entities with equal span, whatever the label.
    boundary_f1: f64,
    /// Cohen's kappa over tokens.
    kappa: Option<f64>,
    /// Pairs of equal label that only overlap.
    other_boundary: usize,
    /// Pairs of equal span and different labels.
    other_label: usize,
    /// Pairs that overlap, of different labels.
    other_both: usize,
    /// Entities that only the one has.
    only_one: usize,
    /// Entities that only the other has.
    only_other: usize,
}

/// The agreement on a project's texts that two people annotated.
///
/// # Errors
/// The database fails.
pub async fn of(store: &Store, project: &Project) -> Result<Agreement, Refusal> {
    let people = People::of(store).await?;
    let (mut pairs, mut after) = (Vec::new(), 0);
    loop {
        let chunk = store.annotated_twice(project.id, after, CHUNK).await?;
        let Some((_, last, _)) = chunk.last() else { break };
        after = last.document;
        pairs.extend(chunk);
    }
    let counted = tokio::task::spawn_blocking(move || {
        let annotated: Vec<Annotated<'_>> = pairs
            .iter()
            .map(|(document, first, second)| Annotated {
                text: document.text(),
                tokens: document.tokens(),
                by: [first, second]
                    .into_iter()
                    .map(|revision| (people.name(revision.user).unwrap_or("import"), &revision.entities[..]))
                    .collect(),
            })
            .collect();
        Agreement::of(&annotated)
    });
    counted.await.map_err(|panic| Refusal::Failed(panic.to_string()))
}

/// How far annotators agree on the texts that two of them annotated
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/agreement", tag = "quality", params(("project" = String, Path)),
    responses((status = 200, body = Agreed), Refusals)
)]
pub async fn get(State(studio): State<Arc<Studio>>, member: Member) -> Result<axum::Json<Agreed>, Refusal> {
    let Agreement { texts, tokens, alpha, pairs } = of(&studio.store, &member.project).await?;
    Ok(axum::Json(Agreed { texts, tokens, alpha, pairs: pairs.into_iter().map(pair).collect() }))
}

fn pair(between: Between) -> Pair {
    let Between { one, other, texts, spans, boundaries, kappa, disagreements, .. } = between;
    Pair {
        one,
        other,
        texts,
        span_f1: spans.f1(),
        boundary_f1: boundaries.f1(),
        kappa,
        other_boundary: disagreements.boundary,
        other_label: disagreements.label,
        other_both: disagreements.both,
        only_one: disagreements.only_one,
        only_other: disagreements.only_other,
    }
}
