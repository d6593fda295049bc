//! How much each method changes.

use super::Method;

/// A probability for each method, from 0 (never) to 1 (wherever it can).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Of a text to get another one behind it.
    pub join: f64,
    /// Of a mention to be replaced.
    pub mentions: f64,
    /// Of a word to be replaced by one of its context.
    pub context: f64,
    /// Of a word to be replaced by a synonym.
    pub synonyms: f64,
    /// Of a segment (an entity, or the words between two) to be shuffled.
    pub shuffle: f64,
    /// Of a word to be mistyped.
    pub typos: f64,
    /// Of a text to be in another case.
    pub casing: f64,
}

impl Rates {
    /// The rate of a method.
    pub fn of(&self, method: Method) -> f64 {
        match method {
            Method::Join => self.join,
            Method::Mentions => self.mentions,
            Method::Context => self.context,
            Method::Synonyms => self.synonyms,
            Method::Shuffle => self.shuffle,
            Method::Typos => self.typos,
            Method::Casing => self.casing,
        }
    }
}
