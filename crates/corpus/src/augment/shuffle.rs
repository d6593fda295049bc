//! Words shuffled where their label stays ("shuffle within segments", Dai and Adel, 2020).

use schema::Document;

use super::{draws::Draws, words::words};
use crate::prepare::Change;

/// The words of each segment, which is an entity or what stands between two, get another order by a probability. What
/// parts the words stays where it is.
pub(super) fn changes(document: &Document, rate: f64, draws: &mut Draws) -> Vec<Change> {
    let text = document.text();
    let words = words(document);
    let mut changes = Vec::new();
    for segment in words.chunk_by(|word, next| word.entity == next.entity) {
        if segment.len() < 2 || !draws.happens(rate) {
            continue;
        }
        let order = draws.order(segment.len());
        let moved =
            |(word, from): (&super::words::Word, usize)| (word.span.range(), segment[from].span.quote(text).to_owned());
        changes.extend(segment.iter().zip(order).map(moved));
    }
    changes
}
