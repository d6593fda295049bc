//! Who has a part in a project.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use store::Role;

use super::{choice, login::to, of_project, token};
use crate::studio::{
    Refusal, Studio,
    access::{By, Member},
    address,
    api::people,
    body::Fields,
    page::Section,
};

/// What each role may.
const MAY: [(&str, &str); 3] = [
    ("annotator", "annotates what the queue gives, and does not see the work of others"),
    ("reviewer", "sees all annotations, decides between them, searches, checks, exports"),
    ("owner", "changes labels, people and data, and starts runs"),
];

/// Everybody, and a form to add somebody.
pub async fn show(State(studio): State<Arc<Studio>>, member: Member) -> Result<Markup, Refusal> {
    let people = people::of(&studio, &member).await?;
    let here = |rest: &str| address::page(&member.project.name, rest);
    let is_first = member.caller.by == By::Local;
    let body = html! {
        h1 { "People" }
        @if is_first {
            p.notice { "This studio is used without a login, by you alone. As soon as there is an account everybody logs in, so begin with an owner: give yourself a password below." }
        }
        table {
            thead { tr { th { "Name" } th { "Role" } th.n { "Annotated" } th {} } }
            tbody { @for person in &people { tr {
                td { bdi { (person.name) } @if !person.logs_in { " " small.quiet { "without a password" } } }
                td { form.row method="post" action=(here("people")) {
                    (token(&member.caller)) input type="hidden" name="name" value=(person.name);
                    select name="role" aria-label={ "Role of " (person.name) } {
                        @for role in Role::ALL { option selected[role.as_str() == person.role] { (role) } }
                    }
                    button.plain { "Change" }
                } }
                td.n { (person.annotated) }
                td { form method="post" action=(here("people/remove")) {
                    (token(&member.caller)) input type="hidden" name="name" value=(person.name);
                    button.danger data-confirm={ "Take the part of " (person.name) " in this project away? What they annotated stays." } { "Remove" }
                } }
            } } }
        }
        h2 { "Add somebody" }
        form.card.form method="post" action=(here("people")) {
            (token(&member.caller))
            div { label for="name" { "Name" } input #name name="name" required autocomplete="off" value=[is_first.then_some(&member.caller.user.name)]; }
            (choice("role", "Role", Role::ALL.iter().map(|role| (role.as_str(), role.as_str())), if is_first { "owner" } else { "annotator" }))
            div {
                label for="password" { "First password" }
                input #password type="password" name="password" minlength="8" autocomplete="new-password";
                small.quiet { "Only for a new account; they can change it. Leave it empty for somebody who has one." }
            }
            button.primary { "Add" }
        }
        dl { @for (role, may) in MAY { dt { strong { (role) } } dd { (may) } } }
    };
    Ok(of_project(&member, Section::People, body))
}

/// Gives somebody a role.
pub async fn give(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let password = Some(form.get("password"));
    people::give(&studio, &member, form.get("name").trim(), form.get("role").parse()?, password).await?;
    Ok(to(&address::page(&member.project.name, "people")))
}

/// Takes somebody's part away.
pub async fn remove(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    people::remove(&studio, &member, &form.get("name")).await?;
    Ok(to(&address::page(&member.project.name, "people")))
}
