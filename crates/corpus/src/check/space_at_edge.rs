//! Q004: white space at the edge of an entity.

use schema::Span;

use super::{Check, Data, Finding, Rule, Severity, rule::FIX};

pub(super) const RULE: Rule = Rule {
    code: "Q004",
    name: "space-at-edge",
    severity: Severity::Warning,
    what: "An entity that starts or ends with white space.",
    why: "No word ends with a space, so a model cannot find the entity exactly and each one counts as missed.",
    fix: "Cut the white space off.",
    command: FIX,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (located, entity) in data.entities() {
        let quote = entity.span.quote(located.document.text());
        let (start, end) = (quote.trim_start() != quote, quote.trim_end() != quote);
        let what = match (start, end) {
            (false, false) => continue,
            _ if quote.trim().is_empty() => "is nothing but white space",
            (true, false) => "starts with white space",
            (false, true) => "ends with white space",
            (true, true) => "starts and ends with white space",
        };
        let message = format!("{quote:?} {} {what}", entity.label);
        findings.push(Finding::new(Check::SpaceAtEdge, message, vec![data.mention(located, entity)]));
    }
    findings
}

/// The span without white space at its ends; `None` where nothing would be left.
pub(super) fn trimmed(text: &str, span: Span) -> Option<Span> {
    let quote = span.quote(text);
    let start = span.start() + (quote.len() - quote.trim_start().len());
    let end = span.start() + quote.trim_end().len();
    Span::new(start, end).ok()
}
