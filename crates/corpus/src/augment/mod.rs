//! Changed copies of training texts, so that a small set teaches more: [`augment()`].
//!
//! Mentions, synonyms and shuffles follow Dai and Adel, "An Analysis of Simple Data Augmentation for Named Entity
//! Recognition" (COLING 2020). Each [`Method`] is one file and has a rate ([`Rates`]). Entities and known tokens move
//! with the text, and no method makes a name of what was none: words that stand inside of a known mention are never put
//! outside of one.
//!
//! The copies are a function of documents, settings and seed: every method has random numbers of its own for each
//! text and copy, so another rate of one method changes nothing in where another one strikes.

mod casing;
mod context;
mod draws;
mod join;
mod known;
mod lexicon;
mod mention;
mod method;
mod rates;
mod record;
mod shuffle;
mod summary;
mod synonym;
mod thesaurus;
mod typos;
mod words;

use std::collections::BTreeMap;

use schema::Document;

use self::{draws::Draws, known::Known};
pub use self::{
    lexicon::{Lexicon, LexiconError, LexiconFault},
    method::Method,
    rates::Rates,
    record::META,
    summary::{MethodSummary, Summary},
    thesaurus::Thesaurus,
};
use crate::{prepare::Change, replace::changed};

/// What copies are made and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Augmentation {
    /// Copies of every text.
    pub copies: u32,
    /// How much each method changes.
    pub rates: Rates,
    /// Seed of everything random.
    pub seed: u64,
    /// Mentions beside those of the documents.
    pub lexicon: Lexicon,
    /// Synonyms of words.
    pub thesaurus: Thesaurus,
}

/// A changed copy of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmented {
    /// The copy; its metadata has a [`META`] that says what was done. It is partial, or was searched for some labels
    /// only, where its source was.
    pub document: Document,
    /// Position of the text that it was made from.
    pub source: usize,
    /// In how many places each method changed it; empty where the copy is equal to its source.
    pub changes: BTreeMap<Method, usize>,
}

/// The copies of every document, copy after copy in the order of the documents.
///
/// A copy that no method struck is equal to its source and stays, so that every text has as many.
pub fn augment(documents: &[Document], augmentation: &Augmentation) -> Vec<Augmented> {
    if augmentation.copies == 0 {
        return Vec::new();
    }
    let known = Known::of(documents, &augmentation.lexicon, augmentation.rates.context > 0.0);
    let copies = (1..=augmentation.copies).flat_map(|copy| (0..documents.len()).map(move |source| (copy, source)));
    copies.map(|(copy, source)| copy_of(documents, source, copy, &known, augmentation)).collect()
}

fn copy_of(
    documents: &[Document],
    source: usize,
    copy: u32,
    known: &Known<'_>,
    augmentation: &Augmentation,
) -> Augmented {
    let mut document = documents[source].clone();
    let (mut changes, mut joined) = (BTreeMap::new(), None);
    for method in Method::ALL {
        let rate = augmentation.rates.of(method);
        if rate <= 0.0 {
            continue;
        }
        let mut draws = Draws::new(augmentation.seed, method, copy, source);
        let made = match method {
            Method::Join => {
                joined = join::partner(documents, source, rate, &mut draws);
                if let Some(longer) = joined.and_then(|other| join::join(&document, &documents[other])) {
                    document = longer;
                    changes.insert(method, 1);
                } else {
                    joined = None;
                }
                continue;
            }
            Method::Mentions => mention::changes(&document, known, rate, &mut draws),
            Method::Context => context::changes(&document, known, rate, &mut draws),
            Method::Synonyms => synonym::changes(&document, known, &augmentation.thesaurus, rate, &mut draws),
            Method::Shuffle => shuffle::changes(&document, rate, &mut draws),
            Method::Typos => typos::changes(&document, rate, &mut draws),
            Method::Casing => casing::changes(&document, rate, &mut draws),
        };
        if let Some((next, places)) = apply(&document, made) {
            document = next;
            changes.insert(method, places);
        }
    }
    record::note(&mut document, documents, source, copy, joined, &changes);
    Augmented { document, source, changes }
}

/// The document after changes and their number; `None` where nothing changes, or where an entity or the known tokens
/// would not come along.
fn apply(document: &Document, mut made: Vec<Change>) -> Option<(Document, usize)> {
    made.retain(|(range, replacement)| document.text()[range.clone()] != *replacement);
    let places = made.len();
    let next = if places > 0 { changed(document, made).ok()? } else { return None };
    let is_whole =
        next.entities().len() == document.entities().len() && next.tokens().is_some() == document.tokens().is_some();
    is_whole.then_some((next, places))
}
