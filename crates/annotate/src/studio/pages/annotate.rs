//! Texts, one after the other.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use schema::{Document, Entity, Suggestion};
use serde::Deserialize;
use serde_json::Value;
use store::{Layer, Number, Provenance, Revision, Role, StoreError};

use super::{login::to, of_project};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{annotations::may_write, queue},
    editor::{Progress, Suggested, Task, editor},
    page::Section,
    path::Path,
};

/// In which layer.
#[derive(Debug, Deserialize)]
pub struct In {
    layer: Option<String>,
}

/// What the editor of a layer is made of.
pub struct Prepared {
    pub number: Number,
    pub layer: Layer,
    pub document: Document,
    pub head: Option<Revision>,
    pub suggestions: Vec<Suggestion>,
    pub draft: Option<Value>,
    pub progress: Progress,
    /// Why the text comes now; empty once it is done.
    pub reason: String,
    origins: Vec<String>,
}

/// The next text that the queue has for somebody.
pub async fn next(State(studio): State<Arc<Studio>>, member: Member) -> Result<Response, Refusal> {
    if let Some(task) = queue::task(&studio, &member, &queue::ANNOTATED).await? {
        let place = format!("annotate/{}", task.document);
        return Ok(to(&format!("{}?layer={}", address::page(&member.project.name, &place), task.layer)));
    }
    let here = |rest: &str| address::page(&member.project.name, rest);
    let body = html! {
        div.empty {
            @if member.project.documents == 0 {
                h1 { "No texts yet" }
                p { "Import a file on the page " a href=(here("data")) { "Data" } ", or with " code { "nomen studio import FILE" } "." }
            } @else {
                h1 { "Nothing is left" }
                p { "Every text that is for you is annotated, or in somebody's hands." }
                @if member.role >= Role::Reviewer { p { a.button href=(here("review")) { "Review" } " " a.button href=(here("quality")) { "Quality" } } }
            }
        }
    };
    Ok(of_project(&member, Section::Annotate, body).into_response())
}

/// One text in the editor.
pub async fn one(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
    of: Result<Query<In>, QueryRejection>,
) -> Result<Markup, Refusal> {
    let Query(In { layer }) = of.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let layer = layer.map_or(Ok(Layer::First), |layer| layer.parse())?;
    if layer == Layer::Review {
        return Err(Refusal::NotFound("two annotations are decided on the page Review".to_owned()));
    }
    let prepared = prepared(&studio, &member, path.number()?, layer).await?;
    let head = prepared.head.as_ref().map_or(0, |head| head.number);
    may_write(&studio, &member, prepared.number, layer, head).await?;
    let suggestions = prepared.suggested();
    Ok(of_project(&member, Section::Annotate, editor(&prepared.task(&member, &suggestions))))
}

/// What the editor of a layer is made of.
pub async fn prepared(studio: &Studio, member: &Member, number: Number, layer: Layer) -> Result<Prepared, Refusal> {
    let project = member.project.id;
    let document = studio.store.document(project, number).await?.document;
    let heads = studio.store.heads(project, number).await?;
    let suggestions = studio.store.suggestions(project, number).await?;
    let draft = studio.store.draft(project, number, layer, member.user()).await?;
    let layers: &[Layer] = if layer == Layer::Review { &queue::REVIEWED } else { &queue::ANNOTATED };
    let progress = studio.store.progress(project).await?;
    let of = progress.iter().filter(|of| layers.contains(&of.layer));
    let (done, total) = of.fold((0, 0), |(done, total), of| (done + of.done, total + of.tasks));
    let reason = match studio.store.task(project, number, layer).await {
        Ok(task) if !task.done => task.reason,
        // What was opened from a list may have no task in this layer.
        Ok(_) | Err(StoreError::NotFound(_)) => String::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(Prepared {
        number,
        layer,
        head: heads.into_iter().find(|head| head.layer == layer),
        origins: suggestions.iter().map(|suggestion| suggestion.origin.kind.to_string()).collect(),
        suggestions,
        draft: draft.map(|draft| draft.body),
        progress: Progress { done, total },
        reason,
        document,
    })
}

impl Prepared {
    /// The suggestions as the editor shows them; their numbers are those that a save names.
    pub fn suggested(&self) -> Vec<Suggested<'_>> {
        let all = self.suggestions.iter().enumerate().zip(&self.origins);
        all.map(|((position, suggestion), kind)| suggested(position, suggestion, kind)).collect()
    }

    /// The editor's task.
    pub fn task<'a>(&'a self, member: &'a Member, suggestions: &'a [Suggested<'a>]) -> Task<'a> {
        let head = self.head.as_ref();
        Task {
            project: &member.project.name,
            number: u64::from(self.number),
            layer: self.layer.as_str(),
            user: &member.caller.user.name,
            id: self.document.id.as_deref(),
            text: self.document.text(),
            tokens: self.document.tokens(),
            schema: &member.project.schema,
            guidelines: &member.project.guidelines,
            parent: head.map_or(0, |head| u64::from(head.number)),
            key: head.map(|head| &*head.key),
            entities: head.map_or(&[] as &[Entity], |head| &head.entities),
            note: head.map_or("", |head| &head.note),
            suggestions,
            refused: match head.map(|head| &head.origin) {
                Some(Provenance::Suggestions { refused, .. }) => refused,
                _ => &[],
            },
            draft: self.draft.as_ref(),
            progress: self.progress,
            reason: &self.reason,
        }
    }
}

/// One that its source took back when it was asked again says so, and is not taken together with those that are sure.
fn suggested<'a>(position: usize, suggestion: &'a Suggestion, kind: &'a str) -> Suggested<'a> {
    let is_taken_back = suggestion.verified == Some(false);
    Suggested {
        id: position as u64 + 1,
        span: suggestion.span,
        label: suggestion.label.as_str(),
        score: suggestion.score.filter(|_| !is_taken_back).map(f64::from),
        status: if is_taken_back { "taken back" } else { suggestion.status.name() },
        quote: &suggestion.quote,
        kind,
        name: &suggestion.origin.name,
        version: &suggestion.origin.version,
    }
}
