//! One document with everything that is known of it.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use store::{Layer, Revision};

use super::{
    data::{excerpt, state},
    login::to,
    of_project, token,
};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{
        queue,
        wire::{People, moment},
    },
    body::Fields,
    colours,
    marked::marked,
    page::Section,
    path::Path,
};

/// The text with what counts, the history of every layer, findings, suggestions, metadata.
pub async fn show(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<Markup, Refusal> {
    let (number, project) = (path.number()?, member.project.id);
    let document = studio.store.document(project, number).await?.document;
    let people = People::of(&studio.store).await?;
    let standing = studio.store.standing(project, number).await?;
    let entities = standing.as_ref().map_or(&[][..], |standing| &standing.entities);
    let findings = studio.store.findings(project, number).await?;
    let lost = studio.store.conflicts(project, Some(number), false).await?;
    let suggestions = studio.store.suggestions(project, number).await?;
    let mut histories = Vec::new();
    for layer in Layer::ALL {
        histories.push((*layer, studio.store.history(project, number, *layer).await?));
    }
    let text = document.text();
    let schema = &member.project.schema;
    let here = |rest: &str| address::page(&member.project.name, rest);
    let body = html! {
        div.row {
            h1 { "Document " (number) }
            @if let Some(id) = &document.id { span.quiet { bdi { (id) } } }
            (state(standing.as_ref().map(|standing| standing.verdict)))
            span.end {}
            a.button href=(here(&format!("annotate/{number}"))) { "Annotate" }
            form method="post" action=(here(&format!("data/{number}/queue"))) { (token(&member.caller)) button { "Send to the queue" } }
            @if number > 1 { a.button.plain rel="prev" href=(here(&format!("data/{}", number - 1))) { "Previous" } }
            @if number < member.project.documents { a.button.plain rel="next" href=(here(&format!("data/{}", number + 1))) { "Next" } }
        }
        section.card { div.text.passage { (marked(text, entities, schema)) } }
        @if !findings.is_empty() {
            h2 { "Findings" }
            ul { @for finding in &findings { li { code { (finding.rule) } " " (finding.message)
                @if let Some(span) = finding.span { ": " q { bdi { (span.quote(text)) } } } } } }
        }
        @if !lost.is_empty() {
            h2 { "Versions that came too late" }
            @for lost in &lost {
                section.card {
                    p.small { bdi { (people.name(lost.user).unwrap_or("nobody")) } ", " (moment(lost.at)) ", layer " (lost.layer) ", saw version " (lost.parent) ", came behind version " (lost.head) }
                    div.text { (marked(text, &lost.entities, schema)) }
                }
            }
        }
        @if !suggestions.is_empty() {
            h2 { "Suggestions" }
            table {
                thead { tr { th { "Label" } th { "Quote" } th { "Found" } th.n { "Score" } th { "From" } } }
                tbody { @for suggestion in &suggestions { tr {
                    td { span class={ "chip " (colours::class(schema, suggestion.label.as_str())) } { (suggestion.label) } }
                    td { bdi { (suggestion.quote) } }
                    td { (suggestion.status)
                        @if suggestion.edits > 0 { ", letters changed: " (suggestion.edits) }
                        @match suggestion.verified {
                            Some(true) => { ", confirmed" }
                            Some(false) => { ", taken back" }
                            None => {}
                        } }
                    td.n { @if let Some(score) = suggestion.score { (format!("{score:.2}")) } }
                    td { (suggestion.origin.kind) " " bdi { (suggestion.origin.name) } " " (suggestion.origin.version) }
                } } }
            }
        }
        @for (layer, history) in histories.iter().filter(|(_, history)| !history.is_empty()) {
            h2 { (title(*layer)) }
            table {
                thead { tr { th.n { "Version" } th { "State" } th { "By" } th { "From" } th { "Text" } } }
                tbody { @for revision in history.iter().rev() { (version(revision, text, &member, &people)) } }
            }
        }
        @if !document.meta.is_empty() {
            h2 { "Metadata" }
            pre { (serde_json::to_string_pretty(&document.meta).unwrap_or_default()) }
        }
    };
    Ok(of_project(&member, Section::Data, body))
}

fn version(revision: &Revision, text: &str, member: &Member, people: &People) -> Markup {
    let (text, entities, is_cut) = excerpt(text, &revision.entities);
    let origin = serde_json::to_value(&revision.origin).unwrap_or_default();
    html! {
        tr {
            td.n { (revision.number) }
            td { (state(Some(revision.verdict))) }
            td.small { bdi { (people.name(revision.user).unwrap_or("imported")) } br; span.quiet.whole { (moment(revision.at)) } }
            td.small { (origin["by"].as_str().unwrap_or_default()) @if let Some(what) = origin["what"].as_str() { ": " (what) } }
            td.text { (marked(text, entities, &member.project.schema)) @if is_cut { "…" }
                @if !revision.note.is_empty() { p.quiet { "Note: " bdi { (revision.note) } } } }
        }
    }
}

fn title(layer: Layer) -> &'static str {
    match layer {
        Layer::First => "First annotation",
        Layer::Second => "Second annotation",
        Layer::Review => "Review",
    }
}

/// Puts the document at the head of the queue.
pub async fn send(
    State(studio): State<Arc<Studio>>,
    member: Member,
    path: Path,
    form: Fields,
) -> Result<Response, Refusal> {
    let number = path.number()?;
    let reason = match form.get("reason") {
        reason if reason.is_empty() => format!("{} asked for it", member.caller.user.name),
        reason => reason,
    };
    studio.store.send_back(member.project.id, Layer::First, &[(number, queue::SENT, reason)]).await?;
    Ok(to(&address::page(&member.project.name, &format!("data/{number}"))))
}
