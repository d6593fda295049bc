//! What the methods know from the texts that are augmented, and from a lexicon.

use std::collections::{BTreeMap, HashSet};

use schema::{Document, Label};

use super::{Lexicon, context::Contexts, words::words};

/// Mentions by label, their words, and which words stand where.
pub(super) struct Known<'k> {
    /// Each surface once, in the order of the texts and the lexicon behind them.
    mentions: BTreeMap<&'k Label, Vec<&'k str>>,
    /// Words of all mentions, in lower case.
    of_mentions: HashSet<String>,
    /// Words outside of mentions.
    pub contexts: Contexts,
}

impl<'k> Known<'k> {
    /// What these documents and the lexicon tell; contexts, which need memory for every word, where they are asked for.
    pub fn of(documents: &'k [Document], lexicon: &'k Lexicon, with_contexts: bool) -> Self {
        let mut mentions: BTreeMap<&Label, Vec<&str>> = BTreeMap::new();
        let mut seen: HashSet<(&Label, &str)> = HashSet::new();
        let of_texts = documents.iter().flat_map(|document| {
            document.entities().iter().map(|entity| (&entity.label, entity.span.quote(document.text())))
        });
        let of_lexicon =
            lexicon.mentions().iter().flat_map(|(label, names)| names.iter().map(move |name| (label, name.as_str())));
        for (label, surface) in of_texts.chain(of_lexicon) {
            if seen.insert((label, surface)) {
                mentions.entry(label).or_default().push(surface);
            }
        }
        let mut known = Self { mentions, of_mentions: HashSet::new(), contexts: Contexts::default() };
        known.of_mentions = known.mentions.values().flatten().flat_map(|surface| parts(surface)).collect();
        // Where a text was not searched for everything, a word outside of its entities may be a name all the same.
        let is_searched = |document: &&Document| with_contexts && document.is_complete();
        let searched = documents.iter().filter(is_searched).map(|document| (document, words(document)));
        known.contexts = Contexts::of(searched, |word| known.is_of_mention(word));
        known
    }

    /// The mentions of a label.
    pub fn mentions(&self, label: &Label) -> &[&'k str] {
        self.mentions.get(label).map_or(&[], Vec::as_slice)
    }

    /// Whether a part of a word or phrase stands in a known mention.
    pub fn is_of_mention(&self, phrase: &str) -> bool {
        parts(phrase).any(|part| self.of_mentions.contains(&part))
    }
}

/// The letters and digits of a phrase in lower case, without what stands between them.
fn parts(phrase: &str) -> impl Iterator<Item = String> {
    phrase.split(|character: char| !character.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase)
}
