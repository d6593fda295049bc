//! Annotations: saved, and kept as drafts until then.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use schema::{Origin, OriginKind, Suggestion};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Layer, NewRevision, Number, Provenance, Revision, Role, StoreError};
use utoipa::ToSchema;

use super::{
    problem::Refusals,
    wire::{self, Mention, People, Rejected, Version},
};
use crate::studio::{Refusal, Studio, access::Member, body::Json, path::Path};

/// Bytes of a draft.
const DRAFT: usize = 4 << 20;

/// A version to be saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Save {
    /// The version that its writer had seen; 0 where there was none.
    parent: u32,
    /// A name for this save that no other save of the document has, so that a repeated one is taken once.
    key: String,
    /// `accepted`, `skipped` or `flagged`.
    verdict: String,
    /// The entities.
    entities: Vec<Mention>,
    /// A remark.
    #[serde(default)]
    note: String,
    /// Suggestions that were looked at and not taken.
    #[serde(default)]
    rejected: Vec<Rejected>,
}

/// Two versions of one annotation, of which the first came too late. Both are kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conflict {
    /// In words.
    error: String,
    /// `conflict`.
    error_type: String,
    /// What came too late.
    mine: Version,
    /// The newest version.
    theirs: Version,
}

/// An editor's unsaved state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    /// Whatever the editor keeps; none where there is no draft.
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
    /// When it was kept, in milliseconds since 1970.
    at: Option<i64>,
}

/// Saves a version of a document's annotation
///
/// `parent` is the version that the writer had seen. Where another has been saved since, nothing of the history changes, and the
/// answer is 409 with both versions, which are kept. The same `key` again is the same save.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/documents/{number}/annotations/{layer}", tag = "annotations",
    params(("project" = String, Path), ("number" = u32, Path), ("layer" = String, Path)), request_body = Save,
    responses((status = 200, body = Version), (status = 409, body = Conflict), Refusals)
)]
pub async fn save(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
    Json(save): Json<Save>,
) -> Result<axum::Json<Version>, Refusal> {
    let (number, layer) = (path.number()?, path.layer()?);
    may_write(&studio, &member, number, layer, save.parent).await?;
    let document = studio.store.document(member.project.id, number).await?.document;
    let (suggestions, from) = shown(&studio, &member, document.text(), number, layer).await?;
    let refused = save.rejected.into_iter().map(wire::refused).collect::<Result<Vec<_>, _>>()?;
    if save.key.is_empty() || save.key.len() > 128 {
        return Err(Refusal::Invalid("`key` has 1 to 128 bytes; random digits will do".to_owned()));
    }
    let revision = NewRevision {
        parent: save.parent,
        verdict: save.verdict.parse()?,
        entities: wire::entities(document.text(), save.entities, &suggestions)?,
        note: save.note,
        origin: if from.is_empty() && refused.is_empty() {
            Provenance::Hand
        } else {
            Provenance::Suggestions { from, refused }
        },
        key: save.key,
    };
    let people = People::of(&studio.store).await?;
    match studio.store.save(member.project.id, number, layer, revision, member.user()).await {
        Ok(saved) => Ok(axum::Json(wire::revision(document.text(), &people, &saved))),
        Err(StoreError::Conflict { mine, theirs }) => {
            let mine = serde_json::to_value(wire::lost(document.text(), &people, &mine)).unwrap_or_default();
            let theirs = serde_json::to_value(wire::revision(document.text(), &people, &theirs)).unwrap_or_default();
            Err(Refusal::Conflict { mine: Box::new(mine), theirs: Box::new(theirs) })
        }
        Err(error) => Err(error.into()),
    }
}

/// What the writer of a version was shown: to an annotator the suggestions for the text, to a reviewer what the two annotators
/// made of it. And where all of that came from.
async fn shown(
    studio: &Studio,
    member: &Member,
    text: &str,
    number: Number,
    layer: Layer,
) -> Result<(Vec<Suggestion>, Vec<Origin>), Refusal> {
    let mut suggestions = Vec::new();
    if layer == Layer::Review {
        let people = People::of(&studio.store).await?;
        for head in studio.store.heads(member.project.id, number).await? {
            if head.layer != Layer::Review {
                suggestions.extend(of_person(text, &head, people.name(head.user).unwrap_or("import")));
            }
        }
    } else {
        suggestions = studio.store.suggestions(member.project.id, number).await?;
    }
    let mut from: Vec<Origin> = Vec::new();
    for suggestion in &suggestions {
        if !from.contains(&suggestion.origin) {
            from.push(suggestion.origin.clone());
        }
    }
    Ok((suggestions, from))
}

fn of_person<'a>(text: &'a str, head: &'a Revision, name: &str) -> impl Iterator<Item = Suggestion> + use<'a> {
    let origin = Origin::new(OriginKind::Person, name);
    let suggestion =
        move |entity: &schema::Entity| Suggestion::exact(text, entity.span, entity.label.clone(), None, origin.clone());
    head.entities.iter().map(suggestion)
}

/// Every version of a document's layer, the oldest first
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/documents/{number}/annotations/{layer}", tag = "annotations",
    params(("project" = String, Path), ("number" = u32, Path), ("layer" = String, Path)),
    responses((status = 200, body = Vec<Version>), Refusals)
)]
pub async fn history(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
) -> Result<axum::Json<Vec<Version>>, Refusal> {
    let (number, people) = (path.number()?, People::of(&studio.store).await?);
    let document = studio.store.document(member.project.id, number).await?.document;
    let history = studio.store.history(member.project.id, number, path.layer()?).await?;
    Ok(axum::Json(history.iter().map(|revision| wire::revision(document.text(), &people, revision)).collect()))
}

/// Keeps an editor's unsaved state in place of the one before
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/documents/{number}/annotations/{layer}/draft", tag = "annotations",
    params(("project" = String, Path), ("number" = u32, Path), ("layer" = String, Path)), request_body = Object,
    responses((status = 204), Refusals)
)]
pub async fn keep_draft(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    let (number, layer) = (path.number()?, path.layer()?);
    if body.to_string().len() > DRAFT {
        return Err(Refusal::TooLarge(format!("a draft has at most {DRAFT} bytes")));
    }
    if layer == Layer::Review && member.role < Role::Reviewer {
        return Err(Refusal::Forbidden("only reviewers decide between annotations".to_owned()));
    }
    studio.store.keep_draft(member.project.id, number, layer, member.user(), &body).await?;
    // Whoever writes is still at it.
    studio.store.renew(member.project.id, number, layer, member.user(), super::queue::LEASE).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's unsaved state of a document
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/documents/{number}/annotations/{layer}/draft", tag = "annotations",
    params(("project" = String, Path), ("number" = u32, Path), ("layer" = String, Path)),
    responses((status = 200, body = Kept), Refusals)
)]
pub async fn draft(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<axum::Json<Kept>, Refusal> {
    let (number, layer) = (path.number()?, path.layer()?);
    studio.store.document(member.project.id, number).await?;
    let draft = studio.store.draft(member.project.id, number, layer, member.user()).await?;
    let (body, at) = draft.map_or((None, None), |draft| (Some(draft.body), Some(draft.at)));
    Ok(axum::Json(Kept { body, at }))
}

/// Throws the caller's unsaved state of a document away
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/documents/{number}/annotations/{layer}/draft", tag = "annotations",
    params(("project" = String, Path), ("number" = u32, Path), ("layer" = String, Path)),
    responses((status = 204), Refusals)
)]
pub async fn drop_draft(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<StatusCode, Refusal> {
    let (number, layer) = (path.number()?, path.layer()?);
    studio.store.drop_draft(member.project.id, number, layer, member.user()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Annotators write what they have in hand, what they wrote before, and what they were too late for; reviewers everything.
pub async fn may_write(
    studio: &Studio,
    member: &Member,
    number: Number,
    layer: Layer,
    parent: u32,
) -> Result<(), Refusal> {
    if member.role >= Role::Reviewer {
        return Ok(());
    }
    if layer == Layer::Review {
        return Err(Refusal::Forbidden("only reviewers decide between annotations".to_owned()));
    }
    let (project, user) = (member.project.id, member.user());
    let task = match studio.store.task(project, number, layer).await {
        Ok(task) => task,
        Err(StoreError::NotFound(_)) => {
            return Err(Refusal::NotFound(format!("document {number} is not to be annotated in the layer `{layer}`")));
        }
        Err(error) => return Err(error.into()),
    };
    let is_in_hand = task.lease.is_some_and(|lease| lease.user == user);
    // A version that is too old changes nothing; it becomes a conflict that its writer is shown.
    let is_late = parent < task.head;
    if is_in_hand || is_late || (task.head == 0 && task.lease.is_none()) {
        return Ok(());
    }
    let heads = studio.store.heads(project, number).await?;
    let head = heads.iter().find(|head| head.layer == layer);
    if head.is_some_and(|head| head.origin == Provenance::Import || head.user == Some(user)) {
        return Ok(());
    }
    let lost = studio.store.conflicts(project, Some(number), false).await?;
    if lost.iter().any(|lost| lost.layer == layer && lost.user == Some(user)) {
        return Ok(());
    }
    Err(Refusal::Forbidden(format!("document {number} is in somebody else's hands; the queue has others for you")))
}
