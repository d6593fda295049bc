//! From mentions as a file states them to entities: units proven, offsets checked, overlaps refused.

use schema::{
    Entity, Label, Span, SpanError,
    offset::{Claim, Offsets, Unit, UnitError, prove, prove_among},
};

use crate::{EntityFault, ReadErrorKind, Report, UnitSwitch, records::Place};

/// A mention as a file states it.
pub(crate) struct Mention {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) label: Label,
    pub(crate) quote: Option<String>,
    pub(crate) score: Option<f32>,
    pub(crate) source: Option<String>,
}

/// The label with this name; the one that earlier entities carry, where there is one, so that memory is shared.
pub(crate) fn label(name: &str, field: impl FnOnce() -> String, report: &Report) -> Result<Label, ReadErrorKind> {
    match report.entities.get_key_value(name) {
        Some((label, _)) => Ok(label.clone()),
        None => Label::new(name).map_err(|error| ReadErrorKind::Label { field: field(), error }),
    }
}

/// What a format says about the unit of its offsets.
#[derive(Clone, Copy)]
pub(crate) enum Counting {
    /// It is this one, unless quoted texts prove another.
    Promised(Unit),
    /// Nothing that holds for all programs that write it: one of these, where only one is possible.
    Unsaid(&'static [Unit]),
}

/// The entities that these mentions are.
///
/// What the caller says about the unit goes before what the format says. Where the unit is not code points, that is listed in the report.
pub(crate) fn entities(
    text: &str,
    mentions: Vec<Mention>,
    counting: Counting,
    place: &mut Place<'_>,
) -> Result<Vec<Entity>, EntityFault> {
    let Place { line, options, report } = place;
    let line = *line;
    // Without a unit at all: what no unit can cure is said as it is, not as a quote that does not fit.
    for (index, mention) in mentions.iter().enumerate() {
        let (start, end) = (mention.start, mention.end);
        if start >= end {
            let problem = if start > end { SpanError::Reversed { start, end } } else { SpanError::Empty(start) };
            return Err(offsets_fault(index, mention, problem));
        }
    }
    let claims: Vec<Claim<'_>> = mentions
        .iter()
        .map(|mention| Claim { start: mention.start, end: mention.end, quote: mention.quote.as_deref() })
        .collect();
    let unit = match (options.unit, counting) {
        (Some(given), _) => prove_among(text, &[given], &claims),
        (None, Counting::Promised(promised)) => prove(text, Some(promised), &claims),
        (None, Counting::Unsaid(units)) => prove_among(text, units, &claims),
    };
    let unit = unit.map_err(|error| unit_fault(&mentions, error))?;
    if unit != Unit::CodePoints && !text.is_ascii() {
        report.units.push(UnitSwitch { line, unit });
    } else if options.unit.is_none()
        && let Some(switch) = report.units.first.first()
        && doubtful(text, &claims, switch.unit)
    {
        return Err(EntityFault::Doubtful { other: switch.unit, line: switch.line });
    }
    let offsets = Offsets::new(text, unit);
    let mut found: Vec<(usize, Span)> = Vec::with_capacity(mentions.len());
    for (index, mention) in mentions.iter().enumerate() {
        let span = offsets.span(mention.start, mention.end);
        found.push((index, span.map_err(|problem| offsets_fault(index, mention, problem))?));
    }
    found.sort_by_key(|(_, span)| *span);
    if let Some(pair) = found.windows(2).find(|pair| pair[0].1.overlaps(pair[1].1)) {
        let side = |(index, _): (usize, Span)| {
            let Mention { start, end, label, .. } = &mentions[index];
            (index + 1, label.to_string(), *start, *end)
        };
        return Err(overlap(side(pair[0]), side(pair[1])));
    }
    let mut spans = vec![None; mentions.len()];
    for (index, span) in found {
        spans[index] = Some(span);
    }
    let entity = |(mention, span): (Mention, Option<Span>)| {
        span.map(|span| Entity { span, label: mention.label, score: mention.score, source: mention.source })
    };
    Ok(mentions.into_iter().zip(spans).filter_map(entity).collect())
}

type Side = (usize, String, usize, usize);

fn overlap(first: Side, second: Side) -> EntityFault {
    let (first, first_label, first_start, first_end) = first;
    let (second, second_label, second_start, second_end) = second;
    EntityFault::Overlap { first, first_label, first_start, first_end, second, second_label, second_start, second_end }
}

/// Refuses entities that share text, for formats whose mentions are spans already; places are bytes of the text.
pub(crate) fn refuse_overlaps(entities: &[Entity]) -> Result<(), EntityFault> {
    let mut order: Vec<usize> = (0..entities.len()).collect();
    order.sort_by_key(|index| entities[*index].span);
    let side = |index: usize| {
        let Entity { span, label, .. } = &entities[index];
        (index + 1, label.to_string(), span.start(), span.end())
    };
    let pair = order.windows(2).find(|pair| entities[pair[0]].span.overlaps(entities[pair[1]].span));
    pair.map_or(Ok(()), |pair| Err(overlap(side(pair[0]), side(pair[1]))))
}

/// Whether the claims also fit the unit that the file was seen to use elsewhere, and mean other spans then.
fn doubtful(text: &str, claims: &[Claim<'_>], other: Unit) -> bool {
    if text.is_ascii() {
        return false;
    }
    let (declared, other) = (Offsets::new(text, Unit::CodePoints), Offsets::new(text, other));
    let mut differs = false;
    let fits = claims.iter().all(|claim| {
        other.span(claim.start, claim.end).is_ok_and(|span| {
            differs |= declared.span(claim.start, claim.end) != Ok(span);
            claim.quote.is_none_or(|quote| quote == span.quote(text))
        })
    });
    fits && differs
}

fn offsets_fault(index: usize, mention: &Mention, problem: SpanError) -> EntityFault {
    let Mention { start, end, .. } = *mention;
    EntityFault::Offsets { index: index + 1, label: mention.label.to_string(), start, end, problem }
}

fn unit_fault(mentions: &[Mention], error: UnitError) -> EntityFault {
    let place = match error {
        UnitError::Refuted { start, end, .. } | UnitError::Outside { start, end, .. } => {
            mentions.iter().position(|mention| mention.start == start && mention.end == end)
        }
        UnitError::Ambiguous(..) => None,
    };
    let index = place.unwrap_or(0);
    match error {
        UnitError::Outside { error, .. } => offsets_fault(index, &mentions[index], error),
        error => EntityFault::Unit { index: index + 1, label: mentions[index].label.to_string(), error },
    }
}
