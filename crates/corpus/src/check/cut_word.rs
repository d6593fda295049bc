//! Q006: entities that start or end inside a word.

use super::{Check, Data, Finding, Rule, Severity, convention};

pub(super) const RULE: Rule = Rule {
    code: "Q006",
    name: "cut-word",
    severity: Severity::Warning,
    what: "An entity with a letter at its edge and another letter right outside, or a digit at a digit. Scripts \
           without spaces between words do not count. Where more than 10 % of a label's entities are like that, it is \
           taken for a rule of the annotators and told as notes.",
    why: "Mostly offsets have slipped, or a letter was missed with the mouse. Models tag whole words, so the entity \
           cannot be found exactly.",
    fix: "Move the edge to that of the word.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (located, entity) in data.entities() {
        let (text, span) = (located.document.text(), entity.span);
        let inside = |at: usize| {
            let (before, after) = (text[..at].chars().next_back(), text[at..].chars().next());
            before.zip(after).is_some_and(|(before, after)| joins(before, after))
        };
        let what = match (inside(span.start()), inside(span.end())) {
            (false, false) => continue,
            (true, false) => "starts inside a word",
            (false, true) => "ends inside a word",
            (true, true) => "starts and ends inside words",
        };
        let message = format!("{:?} {} {what}", span.quote(text), entity.label);
        findings.push(Finding::new(Check::CutWord, message, vec![data.mention(located, entity)]));
    }
    convention::soften(data, findings)
}

/// Whether two neighbouring characters belong to one word.
fn joins(before: char, after: char) -> bool {
    let letter = |character: char| character.is_alphabetic() && !is_unspaced(character);
    letter(before) && letter(after) || before.is_numeric() && after.is_numeric()
}

/// Scripts that are written without spaces between words, and Korean, whose particles follow the word directly.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FFDC}' | '\u{20000}'..='\u{3FFFF}')
}
