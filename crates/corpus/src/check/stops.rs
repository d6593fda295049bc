//! Which words are abbreviations: the data tells, because only those have a full stop inside of sentences.

use std::collections::HashMap;

use super::{Data, surfaces};

/// A word needs so many uses.
const LEAST: usize = 3;
/// It is plain if it stands so many times as often without a full stop as with one.
const TIMES: usize = 3;

/// How often words have a full stop behind them that ends no text, and how often they have none.
pub(super) struct Stops<'d>(HashMap<&'d str, (usize, usize)>);

impl<'d> Stops<'d> {
    pub(super) fn of(data: &Data<'d>) -> Self {
        let mut stops: HashMap<&str, (usize, usize)> = HashMap::new();
        for located in data.documents() {
            let text = located.document.text();
            for word in surfaces::words(text) {
                let behind = text[word.end()..].trim_start();
                let (with, without) = stops.entry(word.quote(text)).or_default();
                match behind.strip_prefix('.') {
                    Some(rest) if !rest.trim_start().is_empty() => *with += 1,
                    _ => *without += 1,
                }
            }
        }
        Self(stops)
    }

    /// Whether a full stop behind the word is one that ends a sentence.
    pub(super) fn is_plain(&self, word: &str) -> bool {
        self.0.get(word).is_some_and(|(with, without)| with + without >= LEAST && *without >= TIMES * with)
    }

    /// Whether the full stop between these words ends a sentence.
    pub(super) fn ends_sentence(&self, word: &str, next: &str) -> bool {
        self.is_plain(word) || self.may_be_plain(word) && self.is_ordinary(next)
    }

    /// Whether nothing speaks for an abbreviation: the word is long, and inside of texts no full stop stands behind it
    /// but the one that is asked about.
    pub(super) fn may_be_plain(&self, word: &str) -> bool {
        word.chars().nth(3).is_some() && self.stands_before_one_stop(word)
    }

    /// Whether no full stop stands behind the word inside of texts, but the one that is asked about.
    pub(super) fn stands_before_one_stop(&self, word: &str) -> bool {
        self.0.get(word).is_none_or(|(with, _)| *with <= 1)
    }

    /// Whether the word in lower case is one that the data uses, so that its capital is that of a sentence.
    fn is_ordinary(&self, word: &str) -> bool {
        let lower = word.to_lowercase();
        self.0.get(lower.as_str()).is_some_and(|(with, without)| with + without >= LEAST)
    }
}
