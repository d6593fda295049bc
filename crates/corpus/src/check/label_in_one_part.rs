//! Q014: labels that one part has and another does not.

use std::collections::{BTreeMap, BTreeSet};

use schema::Label;

use super::{Check, Data, Finding, Place, Role, Rule, Severity, finding::times, rule::SPLIT};

pub(super) const RULE: Rule = Rule {
    code: "Q014",
    name: "label-in-one-part",
    severity: Severity::Warning,
    what: "A label of dev or test that the training files never have (a warning), or one of the training files that \
           dev or test never has (a note).",
    why: "What was never learned is always missed; what is not in dev is neither measured nor looked after.",
    fix: "Split again by label, or annotate the label where it is missing.",
    command: SPLIT,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut parts: BTreeMap<Role, BTreeMap<&Label, Vec<Place>>> = BTreeMap::new();
    for (file, source) in data.files.iter().enumerate() {
        if let Some(role) = source.role.filter(|_| source.entity_count() > 0) {
            let labels = parts.entry(role).or_default();
            for (located, entity) in data.entities().filter(|(located, _)| located.file == file) {
                labels.entry(&entity.label).or_default().push(data.mention(located, entity));
            }
        }
    }
    let Some(trained) = parts.remove(&Role::Train) else { return Vec::new() };
    let mut findings = Vec::new();
    for (role, labels) in parts {
        let part = role.name();
        for (label, places) in &labels {
            if !trained.contains_key(label) {
                let message = format!("`{label}` is in {part} ({}) but never in train", times(places.len()));
                findings.push(Finding::new(Check::LabelInOnePart, message, places.clone()));
            }
        }
        let missing: BTreeSet<&&Label> = trained.keys().filter(|label| !labels.contains_key(*label)).collect();
        for label in missing {
            let file = data.files.iter().position(|file| file.role == Some(role)).unwrap_or(0);
            let message = format!("`{label}` is in train ({}) but never in {part}", times(trained[*label].len()));
            let finding = Finding::new(Check::LabelInOnePart, message, vec![Place::file(file)]);
            findings.push(finding.with_severity(Severity::Note));
        }
    }
    findings
}
