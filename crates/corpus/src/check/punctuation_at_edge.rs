//! Q005: punctuation at the edge of an entity.

use std::collections::BTreeMap;

use super::{
    Check, Data, Finding, Rule, Severity, convention,
    stops::Stops,
    surfaces::{self, Surface},
};

/// Brackets and quotation marks that open, and what closes them.
const PAIRS: [(char, char); 11] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('<', '>'),
    ('"', '"'),
    ('`', '`'),
    ('“', '”'),
    ('„', '“'),
    ('‘', '’'),
    ('«', '»'),
    ('（', '）'),
];

pub(super) const RULE: Rule = Rule {
    code: "Q005",
    name: "punctuation-at-edge",
    severity: Severity::Warning,
    what: "An entity that starts or ends with a comma, a semicolon or a colon, or with a bracket or quotation mark \
           whose partner is not in it; or that ends with a full stop apart from a word that is no abbreviation; or \
           with a full stop, an exclamation or a question mark without which the same surface is labelled more often. \
           Where more than 10 % of a label's entities are like that, it is taken for a rule of the annotators and \
           told as notes.",
    why: "Edges that change from text to text cannot be learned, and every entity that differs by a comma counts as \
           two errors.",
    fix: "Leave the character out of the entity.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let surfaces = surfaces::labelled(data);
    let stops = Stops::of(data);
    let mut findings = Vec::new();
    for (located, entity) in data.entities() {
        let quote = entity.span.quote(located.document.text()).trim();
        let what = match (starts(quote), ends(quote, &surfaces, &stops)) {
            (None, None) => continue,
            (Some(first), None) => format!("starts with {first:?}"),
            (None, Some(last)) => format!("ends with {last:?}"),
            (Some(first), Some(last)) => format!("starts with {first:?} and ends with {last:?}"),
        };
        let message = format!("{quote:?} {} {what}", entity.label);
        findings.push(Finding::new(Check::PunctuationAtEdge, message, vec![data.mention(located, entity)]));
    }
    convention::soften(data, findings)
}

/// The character that the surface should not start with.
fn starts(quote: &str) -> Option<char> {
    let first = quote.chars().next()?;
    let rest = &quote[first.len_utf8()..];
    let alone = PAIRS.iter().any(|(open, close)| first == *open && !rest.contains(*close));
    let closes =
        PAIRS.iter().any(|(open, close)| first == *close && open != close && !PAIRS.iter().any(|p| p.0 == first));
    let wrong = matches!(first, ',' | ';' | ':') && !rest.starts_with(':') && !is_emoticon(quote) || alone || closes;
    (wrong && !rest.is_empty()).then_some(first)
}

/// The character that the surface should not end with.
fn ends(quote: &str, surfaces: &BTreeMap<&str, Surface<'_>>, stops: &Stops<'_>) -> Option<char> {
    let last = quote.chars().next_back()?;
    let rest = &quote[..quote.len() - last.len_utf8()];
    if rest.is_empty() {
        return None;
    }
    let alone = PAIRS.iter().any(|(open, close)| last == *close && !rest.contains(*open));
    let opens = PAIRS.iter().any(|(open, close)| last == *open && open != close && !PAIRS.iter().any(|p| p.1 == last));
    // An apostrophe at the end is a genitive as often as a quotation mark.
    let quotes = alone && last != '’';
    let apart = last == '.'
        && rest.ends_with(char::is_whitespace)
        && surfaces::words(rest).last().is_some_and(|word| {
            let word = word.quote(rest);
            word.chars().nth(2).is_some() && (stops.is_plain(word) || stops.may_be_plain(word))
        });
    let stop = apart || matches!(last, '.' | '!' | '?') && more_often(rest.trim_end(), quote, surfaces);
    let reference =
        last == ';' && rest.rsplit_once('&').is_some_and(|(_, name)| name.chars().all(char::is_alphanumeric));
    (matches!(last, ',' | ';' | ':') && !reference || quotes || opens || stop).then_some(last)
}

/// Whether the surface without its last character is labelled more often than with it.
fn more_often(without: &str, with: &str, surfaces: &BTreeMap<&str, Surface<'_>>) -> bool {
    let times = |surface: &str| surfaces.get(surface).map_or(0, Surface::labelled);
    times(without) > times(with)
}

/// `:)` and the like.
fn is_emoticon(quote: &str) -> bool {
    !quote.chars().any(char::is_alphanumeric)
}
