//! The list of likely label errors on the page Quality, and what is done with one.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use schema::Span;
use store::{Finding, Layer, Number};

use super::{grouped, login::to, token};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{label_errors, quality, queue, runs},
    body::Fields,
    marked::exact,
    path::Path,
};

/// Characters that are shown on either side of a place.
const CONTEXT: usize = 70;

/// The likeliest label errors, each with what to do about it; `all` says how many there are.
pub async fn listed(studio: &Studio, member: &Member, all: u64) -> Result<Markup, Refusal> {
    let findings = studio.store.findings_by(member.project.id, quality::label_error(), label_errors::LISTED).await?;
    let mut rows = Vec::new();
    for finding in findings {
        let text = studio.store.document(member.project.id, finding.document).await?.document.text().to_owned();
        rows.push((text, finding));
    }
    let here = |rest: &str| address::page(&member.project.name, rest);
    Ok(html! {
        div.row {
            h2 #label-errors { "Likely label errors" }
            @if all > 0 { span.quiet { (grouped(all)) " in all, the likeliest first" } }
            span.end.row {
                label.button for="checked" title="What nomen check --model MODEL --json prints of the project's export" { "Import from a check" }
                input.unseen #checked type="file" accept=".json,application/json" data-checked=(address::api(&member.project.name, "findings"));
            }
        }
        p #checked-said role="status" aria-live="polite" {}
        @if rows.is_empty() {
            p.quiet { "None are listed. A model that contradicts the annotation shows where it may be wrong: list what a finished run contradicts on its page under "
                a href=(here("runs")) { "Runs" } ", or import what " code { "nomen check --model MODEL --json" } " prints of the project's export." }
        } @else {
            div.scroll { table.doubts {
                thead { tr { th.n { "Rank" } th { "In the text" } th { "What the model says" } th.n { "Document" } th { span.unseen { "What to do" } } } }
                tbody { @for (rank, (text, finding)) in (1..).zip(&rows) { (row(member, rank, text, finding)) } }
            } }
        }
    })
}

fn row(member: &Member, rank: usize, text: &str, finding: &Finding) -> Markup {
    let here = |rest: &str| address::page(&member.project.name, rest);
    html! {
        tr {
            td.n { (rank) }
            td.text { @match finding.span {
                None => { (exact(&text[..around(text, 0).1])) },
                Some(span) => { (in_text(text, span)) },
            } }
            td { (finding.message) }
            td.n { a href=(here(&format!("data/{}", finding.document))) { (finding.document) } }
            td { form.deed method="post" action=(here("quality/label-errors")) {
                (token(&member.caller))
                input type="hidden" name="document" value=(finding.document);
                input type="hidden" name="message" value=(finding.message);
                button name="do" value="queue" title="Somebody looks at it next" { "Queue" }
                button.plain name="do" value="dismiss" title="The annotation is right" { "Dismiss" }
            } }
        }
    }
}

/// A place with what stands around it.
fn in_text(text: &str, span: Span) -> Markup {
    let (from, _) = around(text, span.start());
    let (_, to) = around(text, span.end());
    html! {
        @if from > 0 { "…" }
        (exact(&text[from..span.start()])) mark.doubt { (exact(span.quote(text))) } (exact(&text[span.end()..to]))
        @if to < text.len() { "…" }
    }
}

/// Where the context of a byte begins and ends, in bytes.
fn around(text: &str, at: usize) -> (usize, usize) {
    let from = text[..at].char_indices().rev().nth(CONTEXT - 1).map_or(0, |(from, _)| from);
    let to = text[at..].char_indices().nth(CONTEXT).map_or(text.len(), |(to, _)| at + to);
    (from, to)
}

/// Sends a document to the queue because of a label error, or takes the error off the list. Either way somebody has looked at it.
pub async fn decide(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let (document, message) = (form.get("document"), form.get("message"));
    let document: Number =
        document.parse().map_err(|_| Refusal::Invalid(format!("`{document}` is no number of a document")))?;
    label_errors::taken_off(&studio, &member, document, &message).await?;
    if form.get("do") == "queue" {
        let sent = [(document, queue::SENT, message)];
        studio.store.send_back(member.project.id, Layer::First, &sent).await?;
    }
    Ok(back(&member))
}

/// Lists what a run's model contradicts.
pub async fn of_run(State(studio): State<Arc<Studio>>, member: Member, path: Path) -> Result<Response, Refusal> {
    let run = runs::of(&studio, &member, &path).await?;
    label_errors::keep(&studio, &member, &run).await?;
    Ok(back(&member))
}

fn back(member: &Member) -> Response {
    to(&format!("{}#label-errors", address::page(&member.project.name, "quality")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_as_much_around_it_and_no_character_is_cut() {
        let text = format!("{}Rome{}", "é".repeat(100), "👩‍🔬".repeat(100));
        let at = text.find("Rome").unwrap();
        let shown = in_text(&text, Span::new(at, at + 4).unwrap()).into_string();
        assert_eq!(shown.matches('é').count(), CONTEXT, "{shown}");
        assert!(
            shown.starts_with('…') && shown.ends_with('…') && shown.contains("<mark class=\"doubt\">Rome</mark>"),
            "{shown}"
        );
        assert_eq!(in_text("Rome", Span::new(0, 4).unwrap()).into_string(), "<mark class=\"doubt\">Rome</mark>");
    }
}
