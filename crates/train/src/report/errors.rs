//! The worst errors in their text, and gold that no prediction can be equal to.

use evaluate::{ErrorCase, ErrorKind, Errors, GoldMention, Mention};
use maud::{Markup, html};

use super::{figures, text::visible};

/// Errors of a kind that are seen without unfolding.
const OPEN: usize = 5;
/// Unreachable entities that are listed.
const UNREACHABLE: usize = 100;

const KINDS: [(ErrorKind, &str, &str); 5] = [
    (ErrorKind::WrongLabel, "Wrong label", "The span is right, the label is not."),
    (ErrorKind::WrongBoundary, "Wrong boundary", "The label is right, the span only overlaps."),
    (ErrorKind::WrongLabelAndBoundary, "Wrong label and boundary", "Another label on a span that overlaps."),
    (ErrorKind::Spurious, "Spurious", "Predicted where the gold has nothing."),
    (ErrorKind::Missed, "Missed", "In the gold, but nothing was predicted."),
];

pub fn list(errors: &Errors) -> Markup {
    let count = |kind| errors.counts.get(&kind).copied().unwrap_or(0);
    if errors.counts.values().sum::<usize>() == 0 {
        return html! { p.none { "There is no error." } };
    }
    html! {
        p.legend.marks {
            mark.gold { "gold" } " is underlined, its label filled; "
            mark.predicted { "predicted" } " is dashed, its label outlined with the model's score. The surest errors come first."
        }
        @for (kind, name, meaning) in KINDS {
            @if count(kind) > 0 {
                @let cases: Vec<&ErrorCase> = errors.worst.iter().filter(|case| case.kind == kind).collect();
                @let (open, folded) = cases.split_at(cases.len().min(OPEN));
                h3 { (name) " " span.count { (figures::grouped(count(kind) as u64)) } small { (meaning) } }
                ol.cases { @for case in open { (self::case(case)) } }
                @if !folded.is_empty() {
                    details {
                        summary { (folded.len()) " more" @if cases.len() < count(kind) {
                            ", of " (figures::grouped((count(kind) - OPEN) as u64))
                        } }
                        ol.cases start=(OPEN + 1) { @for case in folded { (self::case(case)) } }
                    }
                }
            }
        }
    }
}

/// One error in its text, as an item of a list.
pub fn case(case: &ErrorCase) -> Markup {
    html! {
        li {
            p.excerpt dir="auto" {
                @if case.excerpt_start > 0 { span.cut { "…" } }
                (excerpt(case))
            }
            p.source { (source(case.id.as_deref(), case.document)) }
        }
    }
}

/// Where a text comes from: its name, or its place from 1.
fn source(id: Option<&str>, document: usize) -> String {
    id.map_or_else(|| format!("text {}", figures::grouped(document as u64 + 1)), visible)
}

/// The excerpt, cut where a mention begins or ends; labels stand behind the last mention.
fn excerpt(case: &ErrorCase) -> Markup {
    let range = |mention: &Option<Mention>| {
        let span = mention.as_ref()?.span;
        Some(span.start().checked_sub(case.context.start())?..span.end().checked_sub(case.context.start())?)
    };
    let (gold, predicted) = (range(&case.gold), range(&case.predicted));
    let mut cuts = vec![0, case.excerpt.len()];
    cuts.extend([&gold, &predicted].into_iter().flatten().flat_map(|range| [range.start, range.end]));
    cuts.sort_unstable();
    cuts.dedup();
    let behind = [&gold, &predicted].into_iter().flatten().map(|range| range.end).max();
    let within =
        |range: &Option<std::ops::Range<usize>>, at: usize| range.as_ref().is_some_and(|range| range.contains(&at));
    html! {
        @for cut in cuts.windows(2) {
            @let piece = case.excerpt.get(cut[0]..cut[1]).map(visible).unwrap_or_default();
            @match (within(&gold, cut[0]), within(&predicted, cut[0])) {
                (true, true) => { mark.gold.predicted { (piece) } }
                (true, false) => { mark.gold { (piece) } }
                (false, true) => { mark.predicted { (piece) } }
                (false, false) => { (piece) }
            }
            @if behind == Some(cut[1]) {
                @if let Some(gold) = &case.gold { (tag("gold", gold)) }
                @if let Some(predicted) = &case.predicted { (tag("predicted", predicted)) }
            }
        }
    }
}

fn tag(side: &str, mention: &Mention) -> Markup {
    html! {
        bdi class={ "tag " (side) } {
            span.unseen { " [" (side) ": " }
            (visible(mention.label.as_str()))
            @if let Some(score) = mention.score { " " small { (format!("{score:.2}")) } }
            span.unseen { "] " }
        }
    }
}

/// Gold entities that no prediction can be equal to.
pub fn unreachable(mentions: &[GoldMention]) -> Markup {
    html! {
        ol.cases.short {
            @for GoldMention { document, id, mention } in mentions.iter().take(UNREACHABLE) {
                li {
                    p.excerpt dir="auto" { mark.gold { (visible(&mention.text)) } (tag("gold", mention)) }
                    p.source { (source(id.as_deref(), *document)) ", characters " (mention.start) "–" (mention.end) }
                }
            }
        }
        @if mentions.len() > UNREACHABLE {
            p.note { "and " (figures::grouped((mentions.len() - UNREACHABLE) as u64)) " more" }
        }
    }
}
