//! Q011: labels that the schema does not have.

use std::collections::BTreeMap;

use schema::Label;

use super::{Check, Data, Finding, Place, Rule, Severity, finding::times, label_spellings::folded};

pub(super) const RULE: Rule = Rule {
    code: "Q011",
    name: "unknown-label",
    severity: Severity::Error,
    what: "A label that the schema (`--schema`) does not define.",
    why: "The label is a mistake, or the schema is out of date; trained on, it becomes a label of the model.",
    fix: "Rename the label, or define it in the schema.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let Some(schema) = data.schema else { return Vec::new() };
    let mut unknown: BTreeMap<&Label, Vec<Place>> = BTreeMap::new();
    for (located, entity) in data.entities() {
        if schema.position(entity.label.as_str()).is_none() {
            unknown.entry(&entity.label).or_default().push(data.mention(located, entity));
        }
    }
    let finding = |(label, places): (&Label, Vec<Place>)| {
        let near = schema.labels().find(|known| folded(known.as_str()) == folded(label.as_str()));
        let meant = near.map_or_else(String::new, |near| format!("; `{near}` may be meant"));
        let times = times(places.len());
        Finding::new(Check::UnknownLabel, format!("`{label}` is not in the schema and is used {times}{meant}"), places)
    };
    unknown.into_iter().map(finding).collect()
}
