//! How good the annotations are.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use url::form_urlencoded;

use super::{grouped, login::to, of_project, token};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{quality, wire::{People, moment}},
    page::Section,
};

/// Progress, findings, conflicts.
pub async fn show(State(studio): State<Arc<Studio>>, member: Member) -> Result<Markup, Refusal> {
    let rules = quality::rules(&studio, &member.project).await?;
    let progress = studio.store.progress(member.project.id).await?;
    let lost = studio.store.conflicts(member.project.id, None, false).await?;
    let people = People::of(&studio.store).await?;
    let here = |rest: &str| address::page(&member.project.name, rest);
    let of_rule = |rule: &str| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("rule", rule).finish();
        here(&format!("data?{query}"))
    };
    let body = html! {
        h1 { "Quality" }
        div.figures {
            @for of in &progress {
                div.figure { b { (grouped(of.done)) } span { "of " (grouped(of.tasks)) " done, " (of.layer) } }
            }
            div.figure { b { (grouped(rules.iter().map(|rule| rule.findings).sum())) } span { "findings" } }
            div.figure { b { (grouped(lost.len() as u64)) } span { "versions came too late" } }
        }
        div.row {
            h2 { "Findings" }
            span.end {}
            form method="post" action=(here("quality/check")) { (token(&member.caller)) button { "Check what is accepted" } }
        }
        @if rules.is_empty() { p.quiet { "Nothing was found, or nobody has looked yet." } }
        @else {
            table {
                thead { tr { th { "Rule" } th { "Looks for" } th.n { "Findings" } } }
                tbody { @for rule in &rules { tr {
                    td { code { (rule.rule) } }
                    td { a href=(of_rule(&rule.rule)) { (rule.name.replace('-', " ")) } }
                    td.n { (grouped(rule.findings)) }
                } } }
            }
        }
        @if !lost.is_empty() {
            h2 { "Versions that came too late" }
            table {
                thead { tr { th.n { "Document" } th { "Layer" } th { "By" } th { "When" } } }
                tbody { @for lost in &lost { tr {
                    td.n { a href=(here(&format!("data/{}", lost.document))) { (lost.document) } }
                    td { (lost.layer) }
                    td { bdi { (people.name(lost.user).unwrap_or("nobody")) } }
                    td { (moment(lost.at)) }
                } } }
            }
        }
    };
    Ok(of_project(&member, Section::Quality, body))
}

/// Runs the checks.
pub async fn check(State(studio): State<Arc<Studio>>, member: Member) -> Result<Response, Refusal> {
    quality::checked(&studio, &member.project).await?;
    Ok(to(&address::page(&member.project.name, "quality")))
}
