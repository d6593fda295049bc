//! Q013: labels with few examples to learn from.

use std::collections::BTreeMap;

use schema::Label;

use super::{Check, Data, Finding, Place, Role, Rule, Severity};

/// A label with fewer is hardly learned at all.
const HARDLY: usize = 10;
/// A label with fewer is learned badly.
const BADLY: usize = 50;

pub(super) const RULE: Rule = Rule {
    code: "Q013",
    name: "few-examples",
    severity: Severity::Warning,
    what: "A label with fewer than 50 entities in the training file (a note), or fewer than 10 (a warning). Where no \
           file is known to be for training, all files count together.",
    why: "Such a label is found badly, and its score rests on chance. A label that occurs once or twice may be a slip.",
    fix: "Annotate more of it, or merge it into another label.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let trained = data.files.iter().any(|file| file.role == Some(Role::Train));
    let mut labels: BTreeMap<&Label, Vec<Place>> = BTreeMap::new();
    for (located, entity) in data.entities() {
        if trained && data.files[located.file].role != Some(Role::Train) {
            continue;
        }
        labels.entry(&entity.label).or_default().push(data.mention(located, entity));
    }
    let finding = |(label, places): (&Label, Vec<Place>)| {
        let count = places.len();
        if count >= BADLY {
            return None;
        }
        let severity = if count < HARDLY { Severity::Warning } else { Severity::Note };
        let examples = if count == 1 { "example" } else { "examples" };
        let message = format!("`{label}` has {count} {examples} to learn from");
        Some(Finding::new(Check::FewExamples, message, places).with_severity(severity))
    };
    labels.into_iter().filter_map(finding).collect()
}
