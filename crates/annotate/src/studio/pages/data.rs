//! All documents: searched, and changed many at once.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use maud::{Markup, html};
use schema::{Entity, Schema};
use store::{Listed, Role, Verdict};
use url::form_urlencoded;

use super::{choice, field, grouped, of_project, relabel, token};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{
        documents::Wanted,
        quality,
        relabel::Change,
        wire::{People, moment},
    },
    assets,
    body::Fields,
    marked::marked,
    page::Section,
};

/// Characters of a text in a list.
const SHOWN: usize = 280;
/// States by which documents are searched, and how they are called.
const STATES: [(&str, &str); 6] = [
    ("", "Any"),
    ("open", "Not annotated"),
    ("accepted", "Accepted"),
    ("skipped", "Skipped"),
    ("flagged", "Flagged"),
    ("conflict", "In conflict"),
];

/// A page of the documents that meet a search.
pub async fn list(
    State(studio): State<Arc<Studio>>,
    member: Member,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Markup, Refusal> {
    let Query(wanted) = wanted.map_err(|error| Refusal::Invalid(error.body_text()))?;
    let search = wanted.search(&studio.store).await?;
    let found = studio.store.search(member.project.id, &search).await?;
    let people = People::of(&studio.store).await?;
    let next = found.last().filter(|_| found.len() == search.limit as usize).map(|last| last.number);
    let here = |rest: &str| address::page(&member.project.name, rest);
    let body = html! {
        div.row {
            h1 { "Data" }
            span.quiet { (grouped(u64::from(member.project.documents))) " documents" }
            @if member.role >= Role::Owner {
                span.end.row {
                    label.button for="file" { "Import a file" }
                    input.unseen #file type="file" data-import=(address::api(&member.project.name, "documents"));
                }
            }
            a.button href=(address::api(&member.project.name, "export")) { "Export" }
        }
        p #import-said role="status" aria-live="polite" {}
        (search_form(&studio, &member, &wanted, &people).await?)
        @if found.is_empty() {
            div.empty {
                @if member.project.documents == 0 {
                    h2 { "No documents yet" }
                    p { "Import a file here, or with " code { "nomen studio import FILE" } "." }
                } @else { h2 { "No document meets this search" } p { a href=(here("data")) { "Show all" } } }
            }
        } @else {
            div.scroll { table {
                thead { tr { th.n { "No." } th { "Text" } th { "State" } th { "By" } } }
                tbody { @for document in &found { (row(document, &member, &people)) } }
            } }
            div.pages {
                @if wanted.after > 0 { a.button href=(format!("{}?{}", here("data"), query(&wanted, 0))) { "First page" } } @else { span {} }
                @if let Some(next) = next { a.button rel="next" href=(format!("{}?{}", here("data"), query(&wanted, next))) { "Next page" } }
            }
        }
        @if member.role >= Role::Owner { (bulk(&member, &wanted)) }
        script type="module" src=(assets::path("data.js")) {}
    };
    Ok(of_project(&member, Section::Data, body))
}

async fn search_form(studio: &Studio, member: &Member, wanted: &Wanted, people: &People) -> Result<Markup, Refusal> {
    let members = studio.store.members(member.project.id).await?;
    let rules = quality::rules(studio, &member.project).await?;
    let any = || std::iter::once(("", "Any"));
    let labels = any().chain(member.project.schema.labels().map(|label| (label.as_str(), label.as_str())));
    let mut names: Vec<&str> = members.iter().filter_map(|member| people.name(Some(member.user.id))).collect();
    names.sort_unstable();
    let rules = any().chain(rules.iter().map(|rule| (rule.rule.as_str(), rule.name.as_str())));
    Ok(html! {
        form.card.fields role="search" action=(address::page(&member.project.name, "data")) {
            (field("text", "Text", &wanted.text))
            (field("surface", "Entity", &wanted.surface))
            (choice("label", "Label", labels, &wanted.label))
            (choice("user", "Person", any().chain(names.into_iter().map(|name| (name, name))), &wanted.user))
            (choice("state", "State", STATES, &wanted.state))
            (choice("rule", "Finding", rules, &wanted.rule))
            button.primary { "Search" }
        }
    })
}

fn row(document: &Listed, member: &Member, people: &People) -> Markup {
    let (text, entities, is_cut) = excerpt(&document.text, &document.entities);
    html! {
        tr {
            td.n { a href=(address::page(&member.project.name, &format!("data/{}", document.number))) { (document.number) } }
            td.text { (marked(text, entities, &member.project.schema)) @if is_cut { "…" } }
            td { (state(document.standing.map(|(_, verdict, ..)| verdict))) }
            td.small { @if let Some((_, _, user, at)) = document.standing {
                bdi { (people.name(user).unwrap_or("imported")) } br; span.quiet.whole { (moment(at)) }
            } }
        }
    }
}

/// How a document stands, in a word.
pub fn state(verdict: Option<Verdict>) -> Markup {
    let (class, word) = match verdict {
        None => ("state", "open"),
        Some(Verdict::Accepted) => ("state good", "accepted"),
        Some(Verdict::Skipped) => ("state", "skipped"),
        Some(Verdict::Flagged) => ("state warn", "flagged"),
    };
    html! { span class=(class) { (word) } }
}

/// The beginning of a text with the entities that lie in it, and whether there is more.
pub fn excerpt<'a>(text: &'a str, entities: &'a [Entity]) -> (&'a str, &'a [Entity], bool) {
    let Some((mut end, _)) = text.char_indices().nth(SHOWN) else { return (text, entities, false) };
    // No entity is cut.
    let inside = entities.partition_point(|entity| entity.span.start() < end);
    if let Some(last) = entities[..inside].last().filter(|last| last.span.end() > end && last.span.len() < 4 * SHOWN) {
        end = last.span.end();
    }
    let inside = entities.partition_point(|entity| entity.span.end() <= end);
    (&text[..end], &entities[..inside], end < text.len())
}

/// A search as the query of an address, behind another number.
fn query(wanted: &Wanted, after: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let Wanted { text, label, surface, user, rule, state, limit, .. } = wanted;
    for (name, value) in
        [("text", text), ("label", label), ("surface", surface), ("user", user), ("rule", rule), ("state", state)]
    {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if let Some(limit) = limit {
        query.append_pair("limit", &limit.to_string());
    }
    if after > 0 {
        query.append_pair("after", &after.to_string());
    }
    query.finish()
}

fn bulk(member: &Member, wanted: &Wanted) -> Markup {
    let schema: &Schema = &member.project.schema;
    let labels = || schema.labels().map(|label| (label.as_str(), label.as_str()));
    html! {
        details.card {
            summary { "Change every entity of one text" }
            form.fields method="post" action=(address::page(&member.project.name, "data/relabel")) {
                (token(&member.caller))
                div {
                    label for="change-surface" { "Text of the entity, case aside" }
                    input #change-surface name="surface" value=(wanted.surface) required;
                }
                (choice("from", "Only those labelled", std::iter::once(("", "Any")).chain(labels()), &wanted.label))
                (choice("to", "New label", std::iter::once(("", "None: take them away")).chain(labels()), ""))
                button { "Show what would change" }
            }
        }
    }
}

/// Changes every entity of one text.
pub async fn relabel(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let given = |name: &str| Some(form.get(name)).filter(|value| !value.is_empty());
    let change = Change::Surface { surface: form.get("surface"), from: given("from"), to: given("to") };
    relabel::asked(&studio, &member, Section::Data, &form, change).await
}

#[cfg(test)]
mod tests {
    use schema::{Label, Span};

    use super::*;

    #[test]
    fn an_excerpt_cuts_no_entity_and_no_character() {
        let text = "é".repeat(400);
        let entity = |start, end| Entity::new(Span::of(&text, start..end).unwrap(), Label::new("A").unwrap());
        let entities = [entity(0, 4), entity(540, 600), entity(700, 702)];
        let (cut, inside, is_cut) = excerpt(&text, &entities);
        assert_eq!((cut.len(), inside.len(), is_cut), (600, 2, true));
        let short = "é".repeat(10);
        assert_eq!(excerpt(&short, &[]), (&*short, &[][..], false));
    }

    #[test]
    fn a_search_survives_the_way_to_the_next_page() {
        let wanted = Wanted { text: "a&b=c d".to_owned(), label: "É".to_owned(), ..Wanted::default() };
        let query = query(&wanted, 50);
        let back: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(back, [pair("text", "a&b=c d"), pair("label", "É"), pair("after", "50")]);
    }
}
