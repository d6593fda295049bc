//! A text with another one behind it.

use schema::{Document, Entity, Span};

use super::draws::Draws;

/// Bytes of the longest text that joining makes. Longer ones are read in windows, so that they teach nothing about
/// neighbours that they would not teach apart.
const LONGEST: usize = 1_000;
/// Draws until a text stays alone.
const TRIES: usize = 8;

/// Another text that can stand behind this one, by a probability.
///
/// Both have known tokens or neither has, and both were searched for the same: otherwise one part of the joined text
/// would claim more than is known of it, or less.
pub(super) fn partner(documents: &[Document], source: usize, rate: f64, draws: &mut Draws) -> Option<usize> {
    if !draws.happens(rate) {
        return None;
    }
    let one = &documents[source];
    let fits = |other: &usize| {
        let document = &documents[*other];
        *other != source
            && !document.text().is_empty()
            && one.text().len() + document.text().len() < LONGEST
            && document.tokens().is_some() == one.tokens().is_some()
            && document.partial == one.partial
            && document.looked_for == one.looked_for
    };
    (0..TRIES).map(|_| draws.below(documents.len())).find(fits)
}

/// The two texts with a space between them.
pub(super) fn join(first: &Document, second: &Document) -> Option<Document> {
    let offset = first.text().len() + 1;
    let moved = |span: Span| Span::new(span.start() + offset, span.end() + offset).ok();
    let mut entities = first.entities().to_vec();
    for entity in second.entities() {
        entities.push(Entity { span: moved(entity.span)?, ..entity.clone() });
    }
    let text = format!("{} {}", first.text(), second.text());
    let mut joined = Document::new(text).with_entities(entities).ok()?;
    if let (Some(tokens), Some(more)) = (first.tokens(), second.tokens()) {
        let more: Option<Vec<Span>> = more.iter().map(|token| moved(*token)).collect();
        joined = joined.with_tokens([tokens, &more?].concat()).ok()?;
    }
    joined.id.clone_from(&first.id);
    joined.meta.clone_from(&first.meta);
    joined.partial = first.partial;
    joined.looked_for.clone_from(&first.looked_for);
    Some(joined)
}
