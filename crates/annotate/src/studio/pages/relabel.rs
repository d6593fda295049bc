//! A change of many annotations: shown before it is made.

use axum::response::{IntoResponse as _, Response};
use maud::html;
use store::Relabel;

use super::{count, login::to, of_project, token};
use crate::studio::{
    Refusal, Studio,
    access::Member,
    address,
    api::{relabel::Change, wire::moment},
    body::Fields,
    colours,
    page::Section,
};

/// Shows what a change would do, and makes it when the form says that it was seen.
pub async fn asked(
    studio: &Studio,
    member: &Member,
    section: Section,
    form: &Fields,
    change: Change,
) -> Result<Response, Refusal> {
    let back = address::page(&member.project.name, section.path());
    let change: Relabel = change.checked()?;
    if form.has("seen") {
        let version = form.get("version").parse().map_err(|_| Refusal::Invalid("`version` is a number".to_owned()))?;
        studio.store.relabel(member.project.id, version, &change, member.user()).await?;
        return Ok(to(&back));
    }
    let preview = studio.store.preview(member.project.id, &change).await?;
    let schema = &member.project.schema;
    let body = html! {
        h1 { "Change many at once" }
        p { strong { (change.what()) } }
        div.figures {
            div.figure { b { (preview.mentions) } span { "entities change" } }
            div.figure { b { (preview.documents) } span { "documents get a new version" } }
        }
        @if !preview.touched.is_empty() {
            table {
                thead { tr { th.n { "Document" } th { "Layer" } th { "Label" } th { "Text" } } }
                tbody { @for touched in &preview.touched { tr {
                    td.n { a href=(address::page(&member.project.name, &format!("data/{}", touched.document))) { (touched.document) } }
                    td { (touched.layer) }
                    td { span class={ "chip " (colours::class(schema, touched.label.as_str())) } { (touched.label) } }
                    td { bdi { (touched.surface) } }
                } } }
            }
            @if preview.mentions > preview.touched.len() as u64 {
                p.quiet { "The first " (preview.touched.len()) " of " (count(preview.mentions, "entity", "entities")) "." }
            }
        }
        p { "Old versions stay in the history, so nothing is lost." }
        form.row method="post" {
            (token(&member.caller))
            @for name in ["change", "surface", "from", "to", "into"] {
                @for value in form.all(name) { input type="hidden" name=(name) value=(value); }
            }
            input type="hidden" name="version" value=(member.project.version);
            input type="hidden" name="seen" value="yes";
            button.primary disabled[preview.mentions == 0 && matches!(change, Relabel::Surface { .. })] { "Change them" }
            a.button href=(back) { "Leave it" }
        }
        small.quiet { "As of " (moment(store::now())) " UTC." }
    };
    Ok(of_project(member, section, body).into_response())
}
