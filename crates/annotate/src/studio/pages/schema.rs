//! Labels, what they mean, and guidelines.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use schema::{Label, LabelDefinition, Schema};
use store::Role;

use super::{choice, grouped, login::to, of_project, relabel, token};
use crate::studio::{
    Refusal, Studio, access::Member, address, api::relabel::Change, body::Fields, colours, page::Section,
};

/// A form with every label, and forms to rename and merge.
pub async fn show(State(studio): State<Arc<Studio>>, member: Member) -> Result<Markup, Refusal> {
    let counts = studio.store.label_counts(member.project.id).await?;
    let used = |label: &Label| counts.iter().find(|(name, _)| name == label.as_str()).map_or(0, |(_, count)| *count);
    let (schema, may_change) = (&member.project.schema, member.role >= Role::Owner);
    let body = html! {
        div.row { h1 { "Schema" } span.quiet { "version " (member.project.version) } }
        @if !may_change { p.notice { "An owner of the project changes labels." } }
        form method="post" action=(address::page(&member.project.name, "schema")) {
            (token(&member.caller))
            input type="hidden" name="version" value=(member.project.version);
            @if schema.is_empty() { p.empty { "No labels yet. Name the first one below." } }
            @for (position, definition) in schema.definitions().iter().enumerate() {
                (definition_fields(schema, position, definition, used(&definition.name), may_change))
            }
            section.card {
                div { label for="new" { "New labels, one a line" } textarea #new name="new" rows="2" spellcheck="false" readonly[!may_change] {} }
            }
            section.card {
                div { label for="guidelines" { "Guidelines for annotators" }
                    textarea #guidelines name="guidelines" rows="12" readonly[!may_change] { (member.project.guidelines) } }
            }
            @if may_change { div.row { button.primary { "Save labels and guidelines" } } }
        }
        @if may_change && !schema.is_empty() { (changes(&member)) }
    };
    Ok(of_project(&member, Section::Schema, body))
}

fn definition_fields(
    schema: &Schema,
    position: usize,
    definition: &LabelDefinition,
    used: u64,
    may_change: bool,
) -> Markup {
    let id = |field: &str| format!("{field}-{position}");
    let parents = schema.labels().filter(|label| **label != definition.name);
    let parent = definition.parent.as_ref().map_or("", Label::as_str);
    let lines = |words: &[String]| words.join("\n");
    html! {
        details.card {
            summary {
                span class={ "chip " (colours::class(schema, definition.name.as_str())) } { (definition.name) }
                " " span.quiet { (grouped(used)) " in use" }
                " " @if definition.definition.is_empty() { span.quiet { "no definition yet" } } @else { (definition.definition) }
            }
            input type="hidden" name="name" value=(definition.name);
            div.fields {
                div { label for=(id("definition")) { "Definition: what counts, and where it ends" }
                    textarea id=(id("definition")) name="definition" readonly[!may_change] { (definition.definition) } }
                div { label for=(id("examples")) { "Examples, one a line" }
                    textarea id=(id("examples")) name="examples" readonly[!may_change] { (lines(&definition.examples)) } }
                div { label for=(id("near")) { "Near misses, one a line" }
                    textarea id=(id("near")) name="near_misses" readonly[!may_change] { (lines(&definition.near_misses)) } }
                div { label for=(id("colour")) { "Colour, such as #2a9d8f" }
                    input id=(id("colour")) name="colour" value=(definition.colour) pattern="#[0-9a-fA-F]{6}" readonly[!may_change]; }
                div { label for=(id("parent")) { "A kind of" }
                    select id=(id("parent")) name="parent" {
                        option value="" { "nothing else" }
                        @for label in parents { option value=(label) selected[label.as_str() == parent] { (label) } }
                    } }
                @if may_change && used == 0 {
                    label.check { input type="checkbox" name="remove" value=(definition.name); "Remove this label" }
                }
            }
        }
    }
}

fn changes(member: &Member) -> Markup {
    let labels = || member.project.schema.labels().map(|label| (label.as_str(), label.as_str()));
    let action = address::page(&member.project.name, "schema/relabel");
    html! {
        h2 { "Rename or merge" }
        p.quiet { "With every annotation that carries the label. You see what changes first; old versions stay in the history." }
        div.cards {
            form.card method="post" action=(action) {
                (token(&member.caller)) input type="hidden" name="change" value="rename";
                (choice("from", "Rename", labels(), ""))
                div { label for="to" { "to" } input #to name="to" required; }
                p { button { "Show what would change" } }
            }
            @if member.project.schema.len() > 1 {
                form.card method="post" action=(action) {
                    (token(&member.caller)) input type="hidden" name="change" value="merge";
                    fieldset { legend { "Merge" } @for (label, _) in labels() {
                        label.check { input type="checkbox" name="from" value=(label); (label) } } }
                    (choice("into", "into", labels(), ""))
                    p { button { "Show what would change" } }
                }
            }
        }
    }
}

/// Saves labels and guidelines.
pub async fn save(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let wrong = |problem: String| Refusal::Invalid(problem);
    let version = form.get("version").parse().map_err(|_| wrong("`version` is a number".to_owned()))?;
    let schema = schema_of(&form).map_err(wrong)?;
    studio.store.define(member.project.id, version, &schema, &form.get("guidelines"), member.user()).await?;
    Ok(to(&address::page(&member.project.name, "schema")))
}

fn schema_of(form: &Fields) -> Result<Schema, String> {
    let columns = ["name", "definition", "examples", "near_misses", "colour", "parent"].map(|name| form.all(name));
    let [names, definitions, examples, near_misses, colours, parents] = &columns;
    if columns.iter().any(|column| column.len() != names.len()) {
        return Err("the form has not every field of every label; load the page again".to_owned());
    }
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let label = |name: &str| Label::new(name).map_err(|error| error.to_string());
    let (removed, mut labels) = (form.all("remove"), Vec::new());
    for (position, name) in names.iter().enumerate().filter(|(_, name)| !removed.contains(name)) {
        let parent = Some(&parents[position]).filter(|parent| !parent.is_empty() && !removed.contains(parent));
        labels.push(LabelDefinition {
            name: label(name)?,
            definition: definitions[position].trim().to_owned(),
            examples: lines(&examples[position]),
            near_misses: lines(&near_misses[position]),
            colour: colours[position].trim().to_owned(),
            parent: parent.map(|parent| label(parent)).transpose()?,
        });
    }
    for name in lines(&form.get("new")) {
        labels.push(LabelDefinition::undefined(label(&name)?));
    }
    Schema::new(labels).map_err(|error| error.to_string())
}

/// Renames or merges labels.
pub async fn relabel(State(studio): State<Arc<Studio>>, member: Member, form: Fields) -> Result<Response, Refusal> {
    let change = match &*form.get("change") {
        "rename" => Change::Rename { from: form.get("from"), to: form.get("to") },
        "merge" => {
            let into = form.get("into");
            let from: Vec<String> = form.all("from").into_iter().filter(|label| *label != into).collect();
            if from.is_empty() {
                return Err(Refusal::Invalid("choose at least one label that becomes another one".to_owned()));
            }
            Change::Merge { from, into }
        }
        _ => return Err(Refusal::Invalid("a label is renamed or merged".to_owned())),
    };
    relabel::asked(&studio, &member, Section::Schema, &form, change).await
}
