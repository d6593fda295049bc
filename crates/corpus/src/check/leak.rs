//! Q017: the same text in two files.

use std::collections::HashMap;

use super::{Check, Data, Finding, Rule, Severity, data::Located, duplicate::by_length, rule::SPLIT};
use crate::duplicates::fold;

pub(super) const RULE: Rule = Rule {
    code: "Q017",
    name: "leak",
    severity: Severity::Warning,
    what: "A text of one file that is in another one too, apart from case and white space. Texts of fewer than six \
           words repeat by nature and are a note.",
    why: "A score on texts that the model was trained on, or chosen by, says nothing about new text.",
    fix: "Split again so that equal texts stay on one side, or drop the text from the training file.",
    command: SPLIT,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut first: HashMap<String, Located<'_>> = HashMap::new();
    let mut findings = Vec::new();
    for located in data.documents_by_role() {
        let text = fold(located.document.text());
        if text.is_empty() {
            continue;
        }
        let seen = *first.entry(text).or_insert(located);
        if seen.file == located.file {
            continue;
        }
        let place = data.place(seen);
        let message = format!("the text is in {} too{}", name(data, seen.file), at(place.line));
        let finding = Finding::new(Check::Leak, message, vec![data.place(located), place]);
        findings.push(finding.with_severity(by_length(located.document.text())));
    }
    findings
}

/// How a file is called in a message.
pub(super) fn name(data: &Data<'_>, file: usize) -> String {
    data.files[file].path.display().to_string()
}

pub(super) fn at(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}
