//! The list of projects.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use schema::{Label, Schema};
use store::Role;

use super::{count, login::to, of_caller, token};
use crate::studio::{
    Refusal, Studio,
    access::{By, Caller, Member},
    address,
    api::projects,
    body::Fields,
};

/// The projects that somebody has a part in, and a form for a new one.
pub async fn show(State(studio): State<Arc<Studio>>, caller: Caller) -> Result<Markup, Refusal> {
    let theirs = projects::of(&studio, &caller).await?;
    let may_make = caller.by == By::Local || theirs.iter().any(|(_, role)| *role == Role::Owner);
    let mut listed = Vec::new();
    for (project, role) in theirs {
        let progress = studio.store.progress(project.id).await?;
        let (done, tasks) = progress.iter().fold((0, 0), |(done, tasks), of| (done + of.done, tasks + of.tasks));
        listed.push((project, role, done, tasks));
    }
    let body = html! {
        h1 { "Projects" }
        @if listed.is_empty() {
            div.empty { h2 { "No project yet" } p { "Make one below, or ask its owner to give you a part in it." } }
        }
        div.cards {
            @for (project, role, done, tasks) in &listed {
                section.card {
                    h2 { a href=(address::page(&project.name, "annotate")) { bdi { (project.name) } } }
                    p.quiet { (count(u64::from(project.documents), "document", "documents")) ", " (count(project.schema.len() as u64, "label", "labels")) ", you are " (role) }
                    progress value=(done) max=((*tasks).max(1)) aria-label="Done" {}
                    small.quiet { (done) " of " (tasks) " done" }
                }
            }
        }
        @if may_make {
            h2 { "New project" }
            form.card.form method="post" action="/projects" {
                (token(&caller))
                div { label for="name" { "Name" } input #name name="name" required maxlength="80"; }
                div {
                    label for="labels" { "Labels, one a line" }
                    textarea #labels name="labels" placeholder="PERSON" spellcheck="false" {}
                    small.quiet { "They can be changed later. A project without labels takes those of the first file." }
                }
                button.primary { "Make it" }
            }
        }
        p { a href="/account" { "Your account and tokens" } }
    };
    Ok(of_caller(&caller, "Projects", body))
}

/// Makes a project.
pub async fn create(State(studio): State<Arc<Studio>>, caller: Caller, form: Fields) -> Result<Response, Refusal> {
    let lines = form.get("labels");
    let labels = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(Label::new);
    let labels = labels.collect::<Result<Vec<_>, _>>().map_err(|error| Refusal::Invalid(error.to_string()))?;
    let project = projects::made(&studio, &caller, &form.get("name"), &Schema::of_labels(labels), "").await?;
    Ok(to(&address::page(&project.name, "data")))
}

/// A project's first page: what somebody in it does.
pub async fn project(member: Member) -> Response {
    to(&address::page(&member.project.name, "annotate"))
}
