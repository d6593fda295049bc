//! The tags that training wants, and the gold entities that no tags can express.

use std::collections::HashSet;

use schema::{Document, Entity, Span};
use thiserror::Error;

use super::EncodedText;
use crate::decode::{TagSet, chunks};

/// What a model should say about a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// One a slot; [`SlotTarget::Unknown`] where nothing is decided.
    pub slots: Vec<SlotTarget>,
    /// `O` and the tags of the labels that nobody looked for: what a slot of [`SlotTarget::NotLookedFor`] may be.
    pub not_looked_for: Vec<u32>,
    /// Gold entities that would not come back from these tags, sorted by position. They are still trained on the
    /// slots that express them best.
    pub unreachable: Vec<Unreachable>,
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SlotTarget {
    /// Nothing.
    #[default]
    Unknown,
    /// Its tag.
    Tag(u32),
    /// That it is outside the entities of the labels that somebody looked for.
    NotLookedFor,
}

/// A gold entity that no tags can express.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable {
    /// Position among the document's entities.
    pub entity: usize,
    /// Why.
    pub reason: Reason,
}

/// Why no tags can express an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Reason {
    /// The tag set does not have its label.
    #[error("the model does not know its label")]
    UnknownLabel,
    /// No piece covers any of it.
    #[error("the tokenizer drops all of its characters")]
    NoPiece,
    /// It starts or ends inside a word or piece, at white space, or at characters that the tokenizer drops.
    #[error("it does not start and end where words or pieces do")]
    Edge,
    /// Another entity holds more of one of its words or pieces.
    #[error("it shares a word or piece with another entity")]
    Shared,
    /// The tags cannot part it from a neighbour of its label, or a tag that it needs is missing.
    #[error("the model's tags cannot write it")]
    Tags,
}

/// The tags for a document's entities. A slot belongs to the entity that covers most of it.
///
/// Slots outside every entity get `O`. In a document whose entities are not all there ([`Document::partial`]) nothing is known
/// about them, and where nobody looked for some of the labels ([`Document::looked_for`]) a slot may be of one of those.
pub fn targets(document: &Document, encoded: &EncodedText, tag_set: &TagSet) -> Targets {
    let decided: Vec<usize> = {
        let mut undecided = encoded.undecided.iter().peekable();
        (0..encoded.slots.len()).filter(|slot| undecided.next_if(|next| **next as usize == *slot).is_none()).collect()
    };
    let spans: Vec<Span> = decided.iter().map(|slot| encoded.slots[*slot]).collect();
    let owners = owners(document.entities(), &spans);

    let known = |entity: usize| tag_set.label_index(&document.entities()[entity].label);
    let runs = runs(&owners).filter_map(|(entity, run)| Some((run, known(entity)?)));
    let tags = tag_set.encode(spans.len(), runs);
    // What comes back from the written tags is what can be reached, whatever the scheme.
    let written: Vec<u32> = tags.iter().map(|tag| tag.unwrap_or(tag_set.outside())).collect();
    let back: HashSet<_> = chunks(tag_set, &written)
        .map(|(run, label)| (spans[run.start].start(), spans[run.end - 1].end(), label))
        .collect();

    let was_looked_for = |tag: u32| tag_set.label(tag).is_some_and(|label| document.was_looked_for(label));
    let not_looked_for: Vec<u32> = (0..tag_set.len() as u32).filter(|tag| !was_looked_for(*tag)).collect();
    let outside = match () {
        () if document.partial || not_looked_for.len() == tag_set.len() => SlotTarget::Unknown,
        () if not_looked_for.len() > 1 => SlotTarget::NotLookedFor,
        () => SlotTarget::Tag(tag_set.outside()),
    };
    let target = |(tag, owner): (Option<u32>, &Option<usize>)| match owner {
        None => outside,
        Some(entity) => known(*entity).and(tag).map_or(SlotTarget::Unknown, SlotTarget::Tag),
    };
    let mut unreachable = Vec::new();
    for (entity, Entity { span, .. }) in document.entities().iter().enumerate() {
        let reason = match known(entity) {
            None => Reason::UnknownLabel,
            Some(label) if back.contains(&(span.start(), span.end(), label)) => continue,
            Some(_) => reason(entity, *span, &spans, &owners),
        };
        unreachable.push(Unreachable { entity, reason });
    }
    let mut slots = vec![SlotTarget::Unknown; encoded.slots.len()];
    for (slot, target) in decided.into_iter().zip(tags.into_iter().zip(&owners).map(target)) {
        slots[slot] = target;
    }
    Targets { slots, not_looked_for, unreachable }
}

/// The entity that covers most of each slot, the first of equals.
fn owners(entities: &[Entity], slots: &[Span]) -> Vec<Option<usize>> {
    let mut next = 0;
    let cover = |slot: Span, entity: Span| slot.end().min(entity.end()) - slot.start().max(entity.start());
    slots
        .iter()
        .map(|slot| {
            while entities.get(next).is_some_and(|entity| entity.span.end() <= slot.start()) {
                next += 1;
            }
            let overlapping = entities[next..].iter().take_while(|entity| entity.span.overlaps(*slot));
            let covers = overlapping.map(|entity| cover(*slot, entity.span)).enumerate();
            let most = covers.reduce(|most, other| if other.1 > most.1 { other } else { most });
            most.map(|(offset, _)| next + offset)
        })
        .collect()
}

/// Runs of neighbouring slots with one owner.
fn runs(owners: &[Option<usize>]) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let mut start = 0;
    owners.chunk_by(|a, b| a == b).filter_map(move |run| {
        let range = start..start + run.len();
        start = range.end;
        run[0].map(|entity| (entity, range))
    })
}

fn reason(entity: usize, span: Span, slots: &[Span], owners: &[Option<usize>]) -> Reason {
    let first = slots.partition_point(|slot| slot.end() <= span.start());
    let last = slots.partition_point(|slot| slot.start() < span.end());
    if first >= last {
        Reason::NoPiece
    } else if owners[first..last].iter().any(|owner| *owner != Some(entity)) {
        Reason::Shared
    } else if slots[first].start() != span.start() || slots[last - 1].end() != span.end() {
        Reason::Edge
    } else {
        Reason::Tags
    }
}
