//! Texts in another case.

use schema::Document;

use super::{draws::Draws, words::words};
use crate::prepare::Change;

/// The whole text, by a probability, in lower case or in upper case, one as likely as the other: people write so all
/// along a text, not here and there.
pub(super) fn changes(document: &Document, rate: f64, draws: &mut Draws) -> Vec<Change> {
    if !draws.happens(rate) {
        return Vec::new();
    }
    let lower = draws.happens(0.5);
    let cased = |word: &str| if lower { word.to_lowercase() } else { word.to_uppercase() };
    words(document).iter().map(|word| (word.span.range(), cased(word.span.quote(document.text())))).collect()
}
