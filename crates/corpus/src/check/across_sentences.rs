//! Q007: entities that go over the end of a sentence.

use super::{Check, Data, Finding, Rule, Severity, stops::Stops, surfaces};

pub(super) const RULE: Rule = Rule {
    code: "Q007",
    name: "across-sentences",
    severity: Severity::Warning,
    what: "An entity with an empty line in it, or with a full stop that ends a sentence: before it a word of at least \
           three letters that is no abbreviation (the data has it without the stop three times as often as with it), \
           and behind it a capital letter. Where the data has the word before less than three times, the one behind \
           it must be an everyday word, or the stop stand apart, as in texts of tokens.",
    why: "Names do not go over sentences; mostly two entities were joined, or the end was set too late.",
    fix: "Set the end before the stop, or make two entities of it.",
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
    let stops = Stops::of(data);
    let mut findings = Vec::new();
    for (located, entity) in suspects {
        let quote = entity.span.quote(located.document.text());
        let what = if empty_line(quote) {
            "goes over an empty line"
        } else if marks(quote).any(|mark| mark.ends_sentence(&stops)) {
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

/// A full stop that may end a sentence inside the surface.
struct Mark<'q> {
    /// The word before it.
    word: &'q str,
    /// The word behind it.
    next: &'q str,
    /// White space stands between the word and the stop. Tokenizers part the two only where they hold the word for no abbreviation.
    apart: bool,
}

impl Mark<'_> {
    fn ends_sentence(&self, stops: &Stops<'_>) -> bool {
        let letters = self.word.chars().filter(|letter| letter.is_lowercase()).nth(1).is_some();
        letters && stops.ends_sentence(self.word, self.next) || self.apart && stops.stands_before_one_stop(self.word)
    }
}

fn marks(quote: &str) -> impl Iterator<Item = Mark<'_>> {
    quote.match_indices(['.', '。']).filter_map(|(at, stop)| {
        let after = &quote[at + stop.len()..];
        let next = surfaces::words(after).next()?.quote(after);
        let word = surfaces::words(&quote[..at]).last().filter(|word| quote[word.end()..at].trim().is_empty())?;
        let apart = word.end() < at;
        let word = word.quote(quote);
        let fits = after.starts_with(char::is_whitespace)
            && after.trim_start().starts_with(char::is_uppercase)
            && word.chars().nth(2).is_some();
        fits.then_some(Mark { word, next, apart })
    })
}
