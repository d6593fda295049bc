//! How good the annotations are.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use evaluate::agreement::Agreement;
use maud::{Markup, html};
use store::{Layer, Role};
use url::form_urlencoded;

use super::{grouped, label_errors, login::to, of_project, token};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{
        self, quality,
        wire::{People, moment},
    },
    assets,
    body::Fields,
    page::Section,
};

/// Progress, findings, conflicts.
pub async fn show(State(studio): State<Arc<Studio>>, member: Member) -> Result<Markup, Refusal> {
    let rules = quality::rules(&studio, &member.project).await?;
    let progress = studio.store.progress(member.project.id).await?;
    let lost = studio.store.conflicts(member.project.id, None, false).await?;
    let twice = progress.iter().find(|of| of.layer == Layer::Second).map_or(0, |of| of.done);
    let people = People::of(&studio.store).await?;
    let suspected = rules.iter().find(|rule| rule.rule == quality::label_error()).map_or(0, |rule| rule.findings);
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
        (agreement(&studio, &member, twice).await?)
        @if member.role >= Role::Owner && member.project.documents > 0 {
            form.row method="post" action=(here("quality/twice")) {
                (token(&member.caller))
                label for="percent" { "Let two people annotate" }
                div { input #percent name="percent" type="number" min="1" max="100" value="10" required; }
                span { "% of the texts" }
                button { "Ask for it" }
            }
        }
        (label_errors::listed(&studio, &member, suspected).await?)
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
        script type="module" src=(assets::path("quality.js")) {}
    };
    Ok(of_project(&member, Section::Quality, body))
}

/// Texts up to which agreement is counted whenever the page is looked at.
const AT_ONCE: u64 = 100;

async fn agreement(studio: &Studio, member: &Member, twice: u64) -> Result<Markup, Refusal> {
    let place = address::page(&member.project.name, "quality/agreement");
    if twice > AT_ONCE {
        return Ok(html! {
            h2 { "Agreement" }
            p { (grouped(twice)) " texts were annotated twice. " a href=(place) { "Count how far their annotators agree" } }
        });
    }
    Ok(agreed(&api::agreement::of(&studio.store, &member.project).await?))
}

/// Agreement on a page of its own, where counting it takes a while.
pub async fn agree(State(studio): State<Arc<Studio>>, member: Member) -> Result<Markup, Refusal> {
    let agreement = api::agreement::of(&studio.store, &member.project).await?;
    let body = html! { h1 { "Quality" } (agreed(&agreement)) p { a href=(address::page(&member.project.name, "quality")) { "Back" } } };
    Ok(of_project(&member, Section::Quality, body))
}

fn agreed(agreement: &Agreement) -> Markup {
    let figure = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), |figure| format!("{figure:.3}"));
    html! {
        h2 { "Agreement" }
        @if agreement.texts == 0 {
            p.quiet { "No text was annotated by two people yet. A share of the texts that goes to two shows how clear the guidelines are." }
        } @else {
            div.figures {
                div.figure { b { (figure(agreement.alpha)) } span { "Krippendorff's alpha, tokens" } }
                div.figure { b { (grouped(agreement.texts as u64)) } span { "texts annotated twice" } }
                div.figure { b { (grouped(agreement.tokens as u64)) } span { "tokens" } }
            }
            div.scroll { table {
                thead { tr {
                    th { "Between" } th.n { "Texts" } th.n { "Span F1" } th.n { "Boundaries F1" } th.n { "Cohen's kappa" }
                    th.n { "Other boundary" } th.n { "Other label" } th.n { "Both" } th.n { "Only one" } th.n { "Only other" }
                } }
                tbody { @for pair in &agreement.pairs { tr {
                    td { bdi { (pair.one) } " and " bdi { (pair.other) } }
                    td.n { (pair.texts) }
                    td.n { (figure(Some(pair.spans.f1()))) }
                    td.n { (figure(Some(pair.boundaries.f1()))) }
                    td.n { (figure(pair.kappa)) }
                    @let apart = pair.disagreements;
                    td.n { (apart.boundary) } td.n { (apart.label) } td.n { (apart.both) } td.n { (apart.only_one) } td.n { (apart.only_other) }
                } } }
            } }
        }
    }
}

/// Runs the checks.
pub async fn check(State(studio): State<Arc<Studio>>, member: Member) -> Result<Response, Refusal> {
    quality::checked(&studio, &member.project).await?;
    Ok(to(&address::page(&member.project.name, "quality")))
}

/// Lets a share of the texts be annotated by two people.
pub async fn twice(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let percent: f64 =
        form.get("percent").parse().map_err(|_| Refusal::Invalid("the share is no number".to_owned()))?;
    api::queue::ask_twice(&studio, &member, percent / 100.0, 0).await?;
    Ok(to(&address::page(&member.project.name, "quality")))
}
