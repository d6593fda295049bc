//! A document whose text is changed while its entities move along.

use schema::{Document, DocumentError, Entity, Span};

use super::{Mapped, Moved, Step};

/// A document after some steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The document with its new text; what the steps leave no place for is not in it.
    pub document: Document,
    /// From the first text to the last.
    pub mapped: Mapped,
    /// In how many places each step changed the text.
    pub changes: Vec<usize>,
    /// The entities that have no place in the new text.
    pub lost: Vec<Lost>,
    /// Some known token starts or ends inside a change, so the tokens as a whole were given up.
    pub tokens_lost: bool,
}

/// An entity that a step left no place for.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// Its position among the entities of the document.
    pub index: usize,
    /// The entity, in the text that the document came with.
    pub entity: Entity,
    /// The text under it.
    pub quote: String,
    /// Position of the step.
    pub step: usize,
    /// All of its text is gone; otherwise it starts or ends inside something that was changed as a whole.
    pub removed: bool,
}

/// The document after these steps, one after the other.
///
/// An entity whose ends fall between changes moves with the text, and covers what the steps made of it. One that
/// starts or ends inside a change, or whose text is removed, is taken out and told in [`Prepared::lost`]; where its
/// words are still there, the document is partial from then on.
///
/// # Errors
/// None that a valid document can cause: what is moved stays in order.
pub fn prepare(document: &Document, steps: &[Step]) -> Result<Prepared, DocumentError> {
    let mut mapped = Mapped::new(document.text(), []);
    let mut changes = Vec::with_capacity(steps.len());
    let mut kept: Vec<(usize, Span)> = document.entities().iter().map(|entity| entity.span).enumerate().collect();
    let mut tokens = document.tokens().map(<[Span]>::to_vec);
    let mut lost = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        let next = step.apply(mapped.text());
        changes.push(next.changes());
        if next.changes() == 0 {
            continue;
        }
        let mut rest = Vec::with_capacity(kept.len());
        for (index, span) in kept {
            match next.moved(span) {
                Moved::Kept(span) => rest.push((index, span)),
                gone => lost.push(Lost {
                    index,
                    entity: document.entities()[index].clone(),
                    quote: document.entities()[index].span.quote(document.text()).to_owned(),
                    step: position,
                    removed: gone == Moved::Removed,
                }),
            }
        }
        kept = rest;
        tokens = tokens.and_then(|tokens| moved_tokens(&next, &tokens));
        mapped = mapped.then(next);
    }
    let entity = |(index, span): (usize, Span)| Entity { span, ..document.entities()[index].clone() };
    let tokens_lost = document.tokens().is_some() && tokens.is_none();
    let mut prepared = Document::new(mapped.text()).with_entities(kept.into_iter().map(entity).collect())?;
    if let Some(tokens) = tokens {
        prepared = prepared.with_tokens(tokens)?;
    }
    prepared.id.clone_from(&document.id);
    prepared.meta.clone_from(&document.meta);
    // The words of an entity that was cut are still there, and nobody may take them for negatives.
    prepared.partial = document.partial || lost.iter().any(|lost| !lost.removed);
    prepared.looked_for.clone_from(&document.looked_for);
    Ok(Prepared { document: prepared, mapped, changes, lost, tokens_lost })
}

/// The tokens in the new text, without those that are gone; `None` where one is cut.
fn moved_tokens(mapped: &Mapped, tokens: &[Span]) -> Option<Vec<Span>> {
    let mut moved = Vec::with_capacity(tokens.len());
    for token in tokens {
        match mapped.moved(*token) {
            Moved::Kept(span) => moved.push(span),
            Moved::Removed => {}
            Moved::Cut => return None,
        }
    }
    Some(moved)
}
