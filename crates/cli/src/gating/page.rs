//! The report of a gate as one web page that needs nothing else. Whatever comes from data is shown as text.

use evaluate::OneSided;
use maud::{Markup, html};
use operate::gate::{GateReport, Row, SetReport, Undecided};
use schema::Label;
use train::{error_case, visible};

use super::text::signed;

/// What this page has beside the report's style.
const STYLE: &str = ".facts { margin-top: 1rem; } p.set { margin-top: 1.25rem; } p.marks { margin-top: 1.25rem; }";

/// Entities of a label that are seen without unfolding.
const OPEN: usize = 5;

/// The page; `candidate` and `live` name the models.
pub fn page(report: &GateReport, candidate: &str, live: &str) -> String {
    let outcome = super::outcome(report);
    let body = html! {
        header {
            p.over { "Nomen gate" }
            h1 { @if report.passed { "Passed" } @else { "Failed" } }
            dl.facts {
                dt { "Candidate" } dd { (visible(candidate)) }
                dt { "Live" } dd { (visible(live)) }
            }
        }
        main {
            @if !report.passed {
                section.warnings aria-label="Outcome" { p { (visible(&outcome)) } }
            }
            @for set in &report.sets { (section(set, report)) }
            section { h2 { "How it was judged" } (rules(report)) }
        }
        footer { "Nomen " (env!("CARGO_PKG_VERSION")) }
    };
    let style = format!("{}{STYLE}", train::STYLE);
    train::page(&format!("Nomen gate: {}", visible(&outcome)), &style, &body)
}

fn section(set: &SetReport, report: &GateReport) -> Markup {
    html! {
        section {
            h2 { (visible(&set.name)) " " small { (set.texts) " texts" } }
            div.scroll { table.wide.labels {
                thead { tr {
                    th { "Label" } th.n { "Entities" } th.n { "Live F1" } th.n { "Candidate" } th.n { "Change" }
                    th.n { (report.policy.confidence * 100.0) " % interval" } th.n { "p" } th.n { "May lose" }
                    th { "Verdict" }
                } }
                tbody { @for row in &set.rows { (cells(row)) } }
            } }
            @let [live, candidate] = set.unjudged;
            @if live + candidate > 0 {
                p.note {
                    "Not judged, because the set does not say what is right: " (live) " entities of the live model, "
                    (candidate) " of the candidate."
                }
            }
            (legend())
            h3 { "Lost " span.count { (set.exchanged.lost.total()) } small { "Right before, wrong now." } }
            (cases(&set.exchanged.lost))
            h3 { "Won " span.count { (set.exchanged.won.total()) } small { "Wrong before, right now." } }
            (cases(&set.exchanged.won))
        }
    }
}

fn cells(row: &Row) -> Markup {
    let interval = row.change.interval;
    html! {
        tr.chief[row.label.is_none()] {
            th.label { (row.label.as_ref().map_or("all (micro)".to_owned(), |label| visible(label.as_str()))) }
            td.n { (row.support) }
            td.n { (format!("{:.3}", row.change.before.f1())) } td.n { (format!("{:.3}", row.change.after.f1())) }
            td.n { (signed(row.change.change)) } td.n { (signed(interval.low)) " to " (signed(interval.high)) }
            td.n { (row.p_drop_corrected.map_or("–".to_owned(), |p| format!("{p:.3}"))) }
            td.n { (format!("{:.3}", row.bound.max_drop)) }
            td {
                @if row.fails { strong { "fails: " (row.verdict) } } @else { (row.verdict) }
                @if let Some(gain) = row.bound.min_gain { small { " must gain " (format!("{gain:.3}")) } }
            }
        }
    }
}

/// The listed errors, label by label.
fn cases(side: &OneSided) -> Markup {
    let of = |label: &Label| -> Vec<_> {
        let is_about = |case: &&evaluate::ErrorCase| {
            case.gold.as_ref().or(case.predicted.as_ref()).is_some_and(|mention| mention.label == *label)
        };
        side.cases.iter().filter(is_about).collect()
    };
    html! {
        @if side.counts.is_empty() { p.none { "None." } }
        @for (label, count) in &side.counts {
            @let cases = of(label);
            @let (open, folded) = cases.split_at(cases.len().min(OPEN));
            p.set { (visible(label.as_str())) " " span.count { (count) } }
            ol.cases { @for case in open { (error_case(case)) } }
            @if !folded.is_empty() {
                details {
                    summary { (folded.len()) " more" @if cases.len() < *count { ", of " (count - open.len()) } }
                    ol.cases start=(OPEN + 1) { @for case in folded { (error_case(case)) } }
                }
            }
        }
    }
}

fn rules(report: &GateReport) -> Markup {
    let policy = &report.policy;
    let resamples = policy.resamples_for(report.sets.iter().map(|set| set.rows.len()).sum());
    html! {
        p.note {
            "Both models are judged on the same texts; an entity is right when its span and its label are. A row fails when its F1 is "
            "lower by more than it may lose and the drop is not chance: the one-sided randomization test, corrected over all "
            "rows by Holm, gives at most " (format!("{:.3}", 1.0 - policy.confidence)) ". It holds when the whole interval, a paired bootstrap over texts "
            "(" (resamples) " draws, seed " (policy.seed) "), shows no larger loss than it may have. Between the two it is undecided, which "
            @if policy.undecided == Undecided::Pass { "passes" } @else { "fails" }
            " by this policy. Rows with fewer than " (policy.min_support) " entities are not judged."
        }
    }
}

fn legend() -> Markup {
    html! {
        p.legend.marks {
            mark.gold { "gold" } " is underlined, its label filled; "
            mark.predicted { "predicted" } " is dashed, its label outlined with the model's score: the candidate's under Lost, the live model's under Won."
        }
    }
}
