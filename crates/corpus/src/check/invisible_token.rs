//! Q024: tokens without anything to see.

use super::{Check, Data, Finding, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "Q024",
    name: "invisible-token",
    severity: Severity::Warning,
    what: "A token of a token-per-line file that has no visible character: a non-breaking space, a zero-width space, \
           a variation selector left over from an emoji.",
    why: "Most tokenizers drop such characters, so the token has no piece that could carry its tag, and in an entity \
           it makes the entity unreachable.",
    fix: "Delete the row.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in data.documents() {
        let text = located.document.text();
        for token in located.document.tokens().unwrap_or_default() {
            let quote = token.quote(text);
            if !quote.chars().any(is_visible) {
                let points: Vec<String> = quote.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
                let message = format!("the token is only {}", points.join(" "));
                findings.push(Finding::new(Check::InvisibleToken, message, vec![data.part(located, *token)]));
            }
        }
    }
    findings
}

/// Whether a character leaves a mark: neither white space, control, nor a format character or selector.
pub(super) fn is_visible(character: char) -> bool {
    !(character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
                | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
        ))
}
