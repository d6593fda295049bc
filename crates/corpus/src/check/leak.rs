//! Q017: the same text in two files.

use std::collections::HashMap;

use super::{Check, Data, Finding, Rule, Severity, data::Located, duplicate::by_length, rule::SPLIT};

pub(super) const RULE: Rule = Rule {
    code: "Q017",
    name: "leak",
    severity: Severity::Warning,
    what: "A text of one file that is in another one too, apart from case and white space. Texts of fewer than six words \
           repeat by nature and are a note.",
    why: "A score on texts that the model was trained on, or chosen by, says nothing about new text.",
    fix: "Split again so that equal texts stay on one side, or drop the text from the training file.",
    command: SPLIT,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    // Train before dev before test: the place to look at first is where the text should not be.
    let mut order: Vec<usize> = (0..data.files.len()).collect();
    order.sort_by_key(|file| (data.files[*file].role.is_none(), data.files[*file].role));
    let mut first: HashMap<String, Located<'_>> = HashMap::new();
    let mut findings = Vec::new();
    for file in order {
        for (index, document) in data.files[file].documents.iter().enumerate() {
            let text = folded(document.text());
            if text.is_empty() {
                continue;
            }
            let located = Located { file, index, document };
            let seen = *first.entry(text).or_insert(located);
            if seen.file == file {
                continue;
            }
            let place = data.place(seen);
            let message = format!("the text is in {} too{}", name(data, seen.file), at(place.line));
            let finding = Finding::new(Check::Leak, message, vec![data.place(located), place]);
            findings.push(finding.with_severity(by_length(document.text())));
        }
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

/// The text by which two texts are the same.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}
