//! Mentions replaced by others of their label ("mention replacement", Dai and Adel, 2020).

use schema::Document;

use super::{draws::Draws, known::Known};
use crate::prepare::Change;

/// Each mention, by a probability, becomes another one of its label, all of which are equally likely however often they
/// occur. The mention at the beginning of a text keeps a capital at its beginning.
pub(super) fn changes(document: &Document, known: &Known<'_>, rate: f64, draws: &mut Draws) -> Vec<Change> {
    let mut changes = Vec::new();
    for entity in document.entities() {
        if !draws.happens(rate) {
            continue;
        }
        let quote = entity.span.quote(document.text());
        let others = known.mentions(&entity.label);
        // The mention itself is among them: drawn from the others alone it would have to be found first.
        let Some(other) = (0..TRIES).find_map(|_| draws.one_of(others).filter(|other| **other != quote)) else {
            continue;
        };
        let is_first = entity.span.start() == 0;
        let replacement = if is_first { with_capital_of(quote, other) } else { (*other).to_owned() };
        changes.push((entity.span.range(), replacement));
    }
    changes
}

/// Draws until a mention stays as it is.
const TRIES: usize = 4;

fn with_capital_of(model: &str, mention: &str) -> String {
    let mut rest = mention.chars();
    match rest.next() {
        Some(first) if model.starts_with(char::is_uppercase) => first.to_uppercase().chain(rest).collect(),
        _ => mention.to_owned(),
    }
}
