//! Tags of tokens as entities.

use schema::{
    Entity, Span,
    tags::{self, Scheme, Tag},
};

use crate::{Report, TagRepair};

/// The entities that the tags of these tokens mean; what `scheme` would have written differently goes into the
/// report, with the line that `line` gives for a token.
pub(crate) fn entities(
    tokens: &[Span],
    tags: &[Tag],
    scheme: Scheme,
    line: impl Fn(usize) -> usize,
    report: &mut Report,
) -> Vec<Entity> {
    if tags.iter().all(|tag| *tag == Tag::Outside) {
        return Vec::new();
    }
    for repair in tags::repairs(scheme, tags) {
        let line = line(repair.token);
        report.repairs.push(TagRepair { line, found: repair.found, taken_as: repair.taken_as });
    }
    let entity = |chunk: tags::Chunk| {
        let span = tokens[chunk.tokens].iter().copied().reduce(Span::join);
        span.map(|span| Entity::new(span, chunk.label))
    };
    tags::decode(tags).into_iter().filter_map(entity).collect()
}
