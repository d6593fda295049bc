//! Q007: entities that go over the end of a sentence.

use std::collections::HashMap;

use schema::Span;

use super::{Check, Data, Finding, Rule, Severity, surfaces};

pub(super) const RULE: Rule = Rule {
    code: "Q007",
    name: "across-sentences",
    severity: Severity::Warning,
    what: "An entity with an empty line in it, or with a full stop, exclamation or question mark that ends a sentence: \
           a word of at least three letters before it that the data has without the mark more often than with it, and a \
           capital letter behind it.",
    why: "Names do not go over sentences; mostly two entities were joined, or the end was set too late.",
    fix: "Set the end before the mark, or make two entities of it.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let suspects: Vec<_> = data
        .entities()
        .filter(|(located, entity)| {
            let quote = entity.span.quote(located.document.text());
            empty_line(quote) || marks(quote).next().is_some()
        })
        .collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let stops = stops(data);
    let mut findings = Vec::new();
    for (located, entity) in suspects {
        let quote = entity.span.quote(located.document.text());
        let what = if empty_line(quote) {
            "goes over an empty line"
        } else if marks(quote).any(|word| stops.get(word).is_some_and(|(with, without)| without >= with)) {
            "goes over the end of a sentence"
        } else {
            continue;
        };
        let message = format!("{quote:?} {} {what}", entity.label);
        findings.push(Finding::new(Check::AcrossSentences, message, vec![data.mention(located, entity)]));
    }
    findings
}

fn empty_line(quote: &str) -> bool {
    quote.trim().lines().any(|line| line.trim().is_empty())
}

/// The words before marks that may end a sentence inside the surface.
fn marks(quote: &str) -> impl Iterator<Item = &str> {
    quote.match_indices(['.', '!', '?']).filter_map(|(at, mark)| {
        let after = &quote[at + mark.len()..];
        let next = after.trim_start().chars().next()?;
        let word = surfaces::words(&quote[..at]).last().filter(|word| quote[word.end()..at].trim().is_empty())?;
        let word = word.quote(quote);
        let fits = after.starts_with(char::is_whitespace)
            && next.is_uppercase()
            && word.chars().filter(|letter| letter.is_lowercase()).nth(1).is_some()
            && word.chars().nth(2).is_some();
        fits.then_some(word)
    })
}

/// How often each word has a full stop right behind it before more text, and how often it has none.
fn stops<'d>(data: &Data<'d>) -> HashMap<&'d str, (usize, usize)> {
    let mut stops: HashMap<&str, (usize, usize)> = HashMap::new();
    for located in data.documents() {
        let text = located.document.text();
        for word in surfaces::words(text) {
            let behind = &text[Span::end(word)..];
            let (with, without) = stops.entry(word.quote(text)).or_default();
            match behind.strip_prefix('.') {
                Some(rest) if !rest.trim().is_empty() => *with += 1,
                _ => *without += 1,
            }
        }
    }
    stops
}
