//! Q015: the same text with the same entities again in one file.

use std::collections::HashMap;

use super::{Check, Data, Finding, Rule, Severity, contradiction::same_entities, data::Located, rule::FIX, surfaces};

/// Texts with fewer words repeat by nature (`Thank you .`).
const SHORT: usize = 6;

pub(super) const RULE: Rule = Rule {
    code: "Q015",
    name: "duplicate",
    severity: Severity::Warning,
    what: "A text that stands in the same file before, letter for letter and with the same entities. Texts of fewer \
           than six words repeat by nature and are a note.",
    why: "It counts twice in training and in the score.",
    fix: "Drop the repetition.",
    command: FIX,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut seen: HashMap<(usize, &str), Vec<Located<'_>>> = HashMap::new();
    let mut findings = Vec::new();
    for located in data.documents().filter(|located| !located.document.text().trim().is_empty()) {
        let before = seen.entry((located.file, located.document.text())).or_default();
        match before.iter().find(|first| same_entities(first.document, located.document)) {
            None => before.push(located),
            Some(first) => {
                let message = format!("text {} repeats text {}", located.index + 1, first.index + 1);
                let places = vec![data.place(located), data.place(*first)];
                let finding = Finding::new(Check::Duplicate, message, places);
                findings.push(finding.with_severity(by_length(located.document.text())));
            }
        }
    }
    findings
}

/// A warning for a text of some length, a note for a short one.
pub(super) fn by_length(text: &str) -> Severity {
    if is_long(text) { Severity::Warning } else { Severity::Note }
}

/// Whether a text has so many words that it does not repeat by chance.
pub(super) fn is_long(text: &str) -> bool {
    surfaces::words(text).nth(SHORT - 1).is_some()
}
