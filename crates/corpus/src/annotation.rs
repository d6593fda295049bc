//! From mentions as a file states them to entities: units proven, offsets checked, overlaps refused.

use schema::{
    Entity, Label, Span, SpanError,
    offset::{Claim, Offsets, Unit, UnitError, prove},
};

use crate::{EntityFault, ReadErrorKind, Report, UnitSwitch};

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

/// The entities that these mentions are, for a format that promises code points.
///
/// Where quoted texts prove another unit, that unit is taken and listed in the report.
pub(crate) fn entities(
    text: &str,
    mentions: Vec<Mention>,
    line: usize,
    report: &mut Report,
) -> Result<Vec<Entity>, EntityFault> {
    report.lines = vec![line];
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
    let unit = prove(text, Some(Unit::CodePoints), &claims).map_err(|error| unit_fault(&mentions, error))?;
    if unit != Unit::CodePoints {
        report.units.push(UnitSwitch { line, unit });
    } else if let Some(switch) = report.units.first.first()
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
        let (first, second) = (&mentions[pair[0].0], &mentions[pair[1].0]);
        return Err(EntityFault::Overlap {
            first: pair[0].0 + 1,
            first_label: first.label.to_string(),
            first_start: first.start,
            first_end: first.end,
            second: pair[1].0 + 1,
            second_label: second.label.to_string(),
            second_start: second.start,
            second_end: second.end,
        });
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
