//! Q010: one text annotated in two ways.

use std::collections::BTreeMap;

use schema::Document;

use super::{Check, Data, Finding, Place, Rule, Severity, data::Located};

pub(super) const RULE: Rule = Rule {
    code: "Q010",
    name: "contradiction",
    severity: Severity::Warning,
    what: "The same text, letter for letter, with other entities. The first place of each pair is an entity that the \
           other text does not have.",
    why: "At least one of the two is wrong; a model learns both, or is judged by what it was taught not to do.",
    fix: "Decide for one annotation and give it to both, or drop one of the texts.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut by_text: BTreeMap<&str, Vec<Located<'_>>> = BTreeMap::new();
    for located in data.documents().filter(|located| !located.document.partial) {
        by_text.entry(located.document.text()).or_default().push(located);
    }
    let mut found: Vec<(Located<'_>, Finding)> = Vec::new();
    for group in by_text.into_values() {
        let Some((first, others)) = group.split_first() else { continue };
        for other in others {
            if same_entities(first.document, other.document) || first.document.looked_for != other.document.looked_for {
                continue;
            }
            let (one, two) = (only_in(data, *first, *other), only_in(data, *other, *first));
            let count = one.len() + two.len();
            let entities = if count == 1 { "entity" } else { "entities" };
            let message = format!("the same text has other entities elsewhere ({count} {entities} in one only)");
            let places = [place(data, *first, one), place(data, *other, two)].concat();
            found.push((*first, Finding::new(Check::Contradiction, message, places)));
        }
    }
    found.sort_by_key(|(first, _)| (first.file, first.index));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// The entities that only one document has, or else the document itself.
fn place(data: &Data<'_>, located: Located<'_>, entities: Vec<Place>) -> Vec<Place> {
    if entities.is_empty() { vec![data.place(located)] } else { entities }
}

fn only_in(data: &Data<'_>, one: Located<'_>, other: Located<'_>) -> Vec<Place> {
    let missing = one
        .document
        .entities()
        .iter()
        .filter(|entity| !other.document.entities().iter().any(|e| e.same_mention(entity)));
    missing.map(|entity| data.mention(one, entity)).collect()
}

/// Whether span and label of all entities are equal.
pub(super) fn same_entities(one: &Document, other: &Document) -> bool {
    let (one, other) = (one.entities(), other.entities());
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.same_mention(b))
}
