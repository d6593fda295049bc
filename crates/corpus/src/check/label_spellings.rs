//! Q012: labels that differ only in their spelling.

use std::collections::BTreeMap;

use schema::Label;

use super::{Check, Data, Finding, Place, Rule, Severity, finding::times};

pub(super) const RULE: Rule = Rule {
    code: "Q012",
    name: "label-spellings",
    severity: Severity::Warning,
    what: "Two labels that are the same but for case, hyphens, underscores and spaces, such as `creative-work` and \
           `Creative_Work`.",
    why: "A model learns them as two labels and each finds half of its examples.",
    fix: "Rename the rarer one.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut spellings: BTreeMap<String, BTreeMap<&Label, Vec<Place>>> = BTreeMap::new();
    for (located, entity) in data.entities() {
        let places = spellings.entry(folded(entity.label.as_str())).or_default().entry(&entity.label).or_default();
        places.push(data.mention(located, entity));
    }
    let mut findings = Vec::new();
    for of_label in spellings.into_values().filter(|of_label| of_label.len() > 1) {
        let mut ranked: Vec<_> = of_label.into_iter().collect();
        ranked.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
        let mut ranked = ranked.into_iter();
        let Some((usual, usual_places)) = ranked.next() else { continue };
        for (rarer, places) in ranked {
            let message = format!(
                "`{rarer}` ({}) is written `{usual}` elsewhere ({})",
                times(places.len()),
                times(usual_places.len())
            );
            findings.push(Finding::new(Check::LabelSpellings, message, places));
        }
    }
    findings
}

/// The label without what people vary.
pub(super) fn folded(label: &str) -> String {
    label.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
