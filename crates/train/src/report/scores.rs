//! Scores over all labels and by label.

use std::{cmp::Reverse, collections::BTreeMap};

use evaluate::{Average, Counts, Report, Scores};
use maud::{Markup, html};
use schema::Label;

use super::{RunReport, figures, text::breakable};

/// A judged set and its name.
type Judged<'r> = (&'static str, &'r Report);
/// What a row of scores is called, and how it is read from a report.
type Measure = (&'static str, fn(&Report) -> Average);

/// Every measure over all labels, the sets side by side.
pub fn overall(sets: &[Judged<'_>], int8: &BTreeMap<&'static str, Scores>) -> Markup {
    let measures: [Measure; 4] = [
        ("Right span and label (micro)", |report| report.scores.micro().average()),
        ("Mean of the labels (macro)", |report| report.scores.macro_average()),
        ("Right span, any label", |report| report.exact_boundary.average()),
        ("Right label, overlapping span", |report| report.overlap.average()),
    ];
    let across = |name: &str, cell: &dyn Fn(&Report) -> String| {
        html! {
            tr.across { th scope="row" { (name) } @for (_, report) in sets { td.n.first { (cell(report)) } td colspan="2" {} } }
        }
    };
    let some = |count: fn(&Report) -> usize| sets.iter().any(|(_, report)| count(report) > 0);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Scores over all labels" {
            table.wide {
                thead {
                    tr { td rowspan="2" {} @for (name, _) in sets { th.group scope="colgroup" colspan="3" { (name) } } }
                    tr { @for _ in sets {
                        th.n.first scope="col" { "F1" } th.n scope="col" { "Precision" } th.n scope="col" { "Recall" }
                    } }
                }
                tbody {
                    @for (place, (name, measure)) in measures.iter().enumerate() {
                        tr.chief[place == 0] {
                            th scope="row" { (name) }
                            @for (_, report) in sets {
                                @let Average { p, r, f } = measure(report);
                                td.n.first { (figures::fraction(f)) }
                                td.n { (figures::fraction(p)) }
                                td.n { (figures::fraction(r)) }
                            }
                        }
                        @if place == 0 && !int8.is_empty() {
                            tr {
                                th scope="row" { "The same in 8 bits (" code { "--precision int8" } ")" }
                                @for (name, _) in sets {
                                    @if let Some(scores) = int8.get(name) {
                                        @let Average { p, r, f } = scores.micro().average();
                                        td.n.first { (figures::fraction(f)) }
                                        td.n { (figures::fraction(p)) }
                                        td.n { (figures::fraction(r)) }
                                    } @else {
                                        td.n.first colspan="3" {}
                                    }
                                }
                            }
                        }
                        @if place == 0 && sets.iter().any(|(_, report)| report.interval.is_some()) {
                            (across("95 % interval of F1", &interval))
                        }
                    }
                    (across("Texts", &|report| figures::grouped(report.texts as u64)))
                    (across("Entities", &|report| figures::grouped(report.scores.micro().gold as u64)))
                    @if some(|report| report.unjudged) {
                        (across("Predictions that the data says nothing about, left out", &|report| {
                            figures::grouped(report.unjudged as u64)
                        }))
                    }
                    @if some(|report| report.unreachable.len()) {
                        (across("Entities that no word boundary can express", &|report| {
                            figures::grouped(report.unreachable.len() as u64)
                        }))
                    }
                }
            }
        }
    }
}

/// The bootstrap interval of the micro F1.
pub fn interval(report: &Report) -> String {
    report.interval.map_or_else(
        || "–".to_owned(),
        |interval| format!("{}–{}", figures::fraction(interval.low), figures::fraction(interval.high)),
    )
}

/// Scores and support by label, the most frequent label first.
pub fn by_label(run: &RunReport<'_>, sets: &[Judged<'_>]) -> Markup {
    let counts = |report: &Report, label: &Label| report.scores.by_label().get(label).copied().unwrap_or_default();
    let mut labels: Vec<&Label> = sets.iter().flat_map(|(_, report)| report.scores.by_label().keys()).collect();
    labels.sort_unstable();
    labels.dedup();
    let gold = |label: &Label| -> usize { sets.iter().map(|(_, report)| counts(report, label).gold).sum() };
    labels.sort_by_key(|label| Reverse(gold(label)));
    let train = run.data.iter().find(|set| set.name == "train");
    html! {
        div.scroll tabindex="0" role="region" aria-label="Scores by label" {
            table.wide.labels {
                thead {
                    tr {
                        th scope="col" rowspan="2" { "Label" }
                        @for (name, _) in sets { th.group scope="colgroup" colspan="4" { (name) } }
                        @if train.is_some() { th.group scope="col" { "train" } }
                    }
                    tr {
                        @for _ in sets {
                            th.n.first scope="col" { "F1" } th.n scope="col" { "Precision" }
                            th.n scope="col" { "Recall" } th.n scope="col" { "Entities" }
                        }
                        @if train.is_some() { th.n.first scope="col" { "Entities" } }
                    }
                }
                tbody {
                    @for label in labels {
                        tr {
                            th.label scope="row" { (breakable(label.as_str())) }
                            @for (_, report) in sets { (cells(counts(report, label))) }
                            @if let Some(train) = train {
                                td.n.first { (figures::grouped(train.labels.get(label).copied().unwrap_or(0) as u64)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cells(counts: Counts) -> Markup {
    let Average { p, r, f } = counts.average();
    // Without gold or predictions there is nothing to divide by; a zero would look like a failure.
    let ratio = |value: f64, of: usize| if of == 0 { "–".to_owned() } else { figures::fraction(value) };
    html! {
        td.n.first {
            span.bar aria-hidden="true" style=(format!("--share:{f:.3}")) {}
            (ratio(f, counts.gold + counts.predicted))
        }
        td.n { (ratio(p, counts.predicted)) }
        td.n { (ratio(r, counts.gold)) }
        td.n { (figures::grouped(counts.gold as u64)) }
    }
}
