//! Two annotations of one text, and one that counts.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use schema::Entity;
use store::{Layer, Revision};

use super::{annotate::prepared, login::to, of_project};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{queue, wire::People},
    page::Section,
    path::Path,
    review::{Version, review},
};

/// The next text that waits for a reviewer.
pub async fn next(State(studio): State<Arc<Studio>>, member: Member) -> Result<Response, Refusal> {
    if let Some(task) = queue::task(&studio, &member, &queue::REVIEWED).await? {
        return Ok(to(&address::page(&member.project.name, &format!("review/{}", task.document))));
    }
    let body = html! {
        div.empty {
            h1 { "Nothing to review" }
            p { "What two people annotated differently comes here, and what somebody flagged." }
        }
    };
    Ok(of_project(&member, Section::Review, body).into_response())
}

/// Both annotations of a text, and the editor for the one that counts.
pub async fn one(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<Markup, Refusal> {
    let prepared = prepared(&studio, &member, path.number()?, Layer::Review).await?;
    let heads = studio.store.heads(member.project.id, prepared.number).await?;
    let people = People::of(&studio.store).await?;
    let of = |layer: Layer| heads.iter().find(|head| head.layer == layer);
    let first = of(Layer::First);
    let left = version(first, &people, "nobody yet");
    let right = match of(Layer::Second) {
        // Of one annotation, that one is what the reviewer begins with.
        None => Version { user: "nobody else", ..left },
        second => version(second, &people, "nobody yet"),
    };
    let suggestions = prepared.suggested();
    Ok(of_project(&member, Section::Review, review(&prepared.task(&member, &suggestions), &left, &right)))
}

fn version<'a>(head: Option<&'a Revision>, people: &'a People, nobody: &'a str) -> Version<'a> {
    Version {
        user: head.map_or(nobody, |head| people.name(head.user).unwrap_or("came with the document")),
        verdict: head.map_or("accepted", |head| head.verdict.as_str()),
        entities: head.map_or(&[] as &[Entity], |head| &head.entities),
        note: head.map_or("", |head| &head.note),
    }
}
