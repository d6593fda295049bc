//! Synonyms from a file.

use std::{collections::BTreeMap, path::Path};

use super::{LexiconError, lexicon::rows};

/// Synonyms of words. Case does not count where a word is looked up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thesaurus(BTreeMap<String, Vec<String>>);

impl Thesaurus {
    /// Reads a file with a word and its synonyms a line, separated by tabs: `big<TAB>large<TAB>huge`.
    ///
    /// # Errors
    /// It cannot be read, says nothing, or a line has no synonym or an empty field.
    pub fn read(path: &Path) -> Result<Self, LexiconError> {
        let mut synonyms: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, fields) in rows(path, 2, "a word and its synonyms")? {
            let known = synonyms.entry(fields[0].to_lowercase()).or_default();
            for synonym in &fields[1..] {
                if !known.contains(synonym) {
                    known.push(synonym.clone());
                }
            }
        }
        Ok(Self(synonyms))
    }

    /// The synonyms of a word.
    pub fn of(&self, word: &str) -> &[String] {
        self.0.get(&word.to_lowercase()).map_or(&[], Vec::as_slice)
    }
}
