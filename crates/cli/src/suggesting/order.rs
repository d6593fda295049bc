//! The order in which suggested texts are to be annotated.

use annotate::{
    queue::{Candidate, Measure, Order, of_sources, rank},
    suggest::OriginKind,
};
use schema::{Document, Entity};
use serde_json::json;

use super::sources::Source;

/// Places that are given; what is behind them keeps its order, because the distances of all texts from all others take for ever.
const PLACES: usize = 1_000;
/// Key of the metadata that says why a text has its place.
const WHY: &str = "suggestions_order";

/// The texts that nobody has annotated in the order that was asked for, then the others as they were. Each that has a place
/// says why in its metadata.
pub fn ordered(documents: Vec<Document>, sources: &[Source], order: Order, seed: u64) -> Vec<Document> {
    let open: Vec<usize> = (0..documents.len()).filter(|at| documents[*at].partial).collect();
    let known: Vec<&str> = documents.iter().filter(|document| !document.partial).map(Document::text).collect();
    let candidates: Vec<Candidate<'_>> =
        open.iter().map(|at| Candidate { text: documents[*at].text(), uncertainty: doubt(sources, *at) }).collect();
    let ranked = rank(order, &candidates, &known, PLACES, seed);
    let mut slots: Vec<Option<Document>> = documents.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(slots.len());
    for place in ranked {
        if let Some(mut document) = slots[open[place.position]].take() {
            document.meta.insert(WHY.to_owned(), json!(place.reason));
            ordered.push(document);
        }
    }
    let (behind, annotated): (Vec<Document>, Vec<Document>) =
        slots.into_iter().flatten().partition(|document| document.partial);
    ordered.extend(behind);
    ordered.extend(annotated);
    ordered
}

/// How unsure the sources are of a text. What they said together is no source of its own.
fn doubt(sources: &[Source], at: usize) -> f64 {
    let single = sources.iter().filter(|source| source.origin.kind != OriginKind::Combined);
    let found: Vec<Vec<Entity>> = single
        .filter_map(|source| source.suggestions[at].as_ref())
        .map(|suggestions| {
            let stands = suggestions.iter().filter(|suggestion| suggestion.verified != Some(false));
            let placed = stands.filter_map(|suggestion| {
                let mut entity = Entity::new(suggestion.span?, suggestion.label.clone());
                entity.score = suggestion.score;
                Some(entity)
            });
            placed.collect()
        })
        .collect();
    of_sources(Measure::default(), &found)
}
