//! Q019: texts without anything to see.

use super::{Check, Data, Finding, Rule, Severity, invisible_token::is_visible, rule::FIX};

pub(super) const RULE: Rule = Rule {
    code: "Q019",
    name: "empty-text",
    severity: Severity::Warning,
    what: "A text without a visible character.",
    why: "It teaches nothing, and mostly something went wrong where it was made.",
    fix: "Remove it, or look where its text was lost.",
    command: FIX,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let blank = data.documents().filter(|located| !located.document.text().chars().any(is_visible));
    let finding = |located| Finding::new(Check::EmptyText, "the text is empty".to_owned(), vec![data.place(located)]);
    blank.map(finding).collect()
}
