//! The report as one web page that needs nothing else. Whatever comes from data is shown as text.

use maud::{Markup, html};
use operate::{
    drift::{Compared, Verdict},
    profile::{Bins, Feature, Measured},
};
use train::visible;

use super::{Monitored, typical};
use crate::versions;

/// What this page has beside the report's style.
const STYLE: &str = "
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(18.5rem, 1fr)); gap: 1.75rem 2rem; }
.card { break-inside: avoid; border-top: 2px solid var(--line); padding-top: .625rem; }
.card.drifted { border-color: var(--orange); }
.card h3 { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; }
.card h3 small { white-space: nowrap; }
.card.drifted h3 small, td.drifted { color: var(--orange); font-weight: 600; }
.card p { font-size: .8125rem; color: var(--soft); margin: .125rem 0 .5rem; }
.card svg { display: block; width: 100%; height: auto; overflow: visible; }
.card svg text { font-size: 9px; fill: var(--soft); }
.card h4 { font-size: .75rem; font-weight: 400; color: var(--soft); margin: .625rem 0 .25rem; }
.was { fill: color-mix(in srgb, var(--soft) 40%, var(--paper)); } .is { fill: var(--blue); } .drifted .is { fill: var(--orange); }
.band { stroke: var(--blue); stroke-width: 2; opacity: .35; } .dot { fill: var(--blue); }
.over .band { stroke: var(--orange); opacity: .5; } .over .dot { fill: var(--orange); }
.limit { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; } .base { stroke: var(--line); stroke-width: 1; }
.swatch { display: inline-block; width: .75rem; height: .75rem; margin-right: .375rem; vertical-align: -.0625rem; }
.swatch.was { background: color-mix(in srgb, var(--soft) 40%, var(--paper)); } .swatch.is { background: var(--blue); }
";

/// Size of a plot in its own units.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 70.0;
/// Room at the left of the windows for the scale.
const LEFT: f64 = 26.0;
/// Windows that are drawn; of more, the last.
const DRAWN: usize = 120;

impl Monitored<'_> {
    /// The page.
    pub fn page(&self) -> String {
        let report = &self.report;
        let outcome = self.outcome();
        let [from, to] = [report.whole.from, report.whole.to].map(|at| versions::moment(at / 1_000));
        let body = html! {
            header {
                p.over { "Nomen monitor" }
                h1 { @if report.drifted { "Drift" } @else if report.comparisons == 0 { "Too few texts" } @else { "No drift is shown" } }
                dl.facts {
                    @if let Some(model) = &self.model { dt { "Model" } dd { (visible(model)) } }
                    dt { "Log" } dd { (report.whole.texts) " texts, " (from) " to " (to) ", in " (self.windows()) }
                    dt { "Profile" } dd { (self.profile.texts) " texts of " (visible(&self.profile.of)) }
                    @if self.others > 0 { dt { "Left out" } dd { (self.others) " rows of other versions of the model" } }
                }
            }
            main {
                @if report.drifted { section.warnings aria-label="Outcome" { p { (visible(&outcome)) } } }
                section {
                    h2 { "Features" }
                    ul.legend {
                        li { span.swatch.was {} "share of the profile's values" }
                        li { span.swatch.is {} "share of the log's" }
                    }
                    p {}
                    div.cards {
                        @for (at, (measured, whole)) in self.profile.features.iter().zip(&report.whole.features).enumerate() {
                            (self.card(at, measured, whole))
                        }
                    }
                }
                section { h2 { "Windows" } (self.table()) }
                section { h2 { "How it was judged" } (self.rules()) }
            }
            footer { "Nomen " (env!("CARGO_PKG_VERSION")) }
        };
        train::page(&format!("Nomen monitor: {}", visible(&outcome)), &format!("{}{STYLE}", train::STYLE), &body)
    }

    fn card(&self, at: usize, measured: &Measured, whole: &Compared) -> Markup {
        let name = visible(&measured.feature.to_string());
        let windows: Vec<&Compared> = self.report.windows.iter().filter_map(|window| window.features.get(at)).collect();
        let worst = windows.iter().map(|compared| compared.verdict).chain([whole.verdict]).max();
        let is_drifted = worst == Some(Verdict::Drifted);
        html! {
            div class={ "card" @if is_drifted { " drifted" } } {
                h3 { (name) " " small { (worst.unwrap_or(Verdict::TooFew)) } }
                p {
                    (visible(&typical(measured, measured.mean, &measured.histogram.shares()))) " in the profile, "
                    (visible(&typical(measured, whole.mean, &whole.shares))) " in the log"
                    @if let Some(stability) = whole.stability { "; PSI " (format!("{:.2}", stability.psi)) }
                }
                (bars(measured, whole, &name))
                @if windows.len() > 1 && windows.iter().any(|compared| compared.stability.is_some()) {
                    h4 { "PSI by window" }
                    (over_windows(&windows[windows.len().saturating_sub(DRAWN)..], self.report.policy.threshold, &name))
                }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            div.scroll { table.wide {
                thead { tr {
                    th.n { "Window" } th { "From" } th.n { "Texts" } th { "Moved most" } th.n { "PSI" } th.n { "Interval" }
                    th { "Verdict" }
                } }
                tbody { @for (at, window) in self.report.windows.iter().enumerate() {
                    @let worst = window.worst();
                    @let stability = worst.and_then(|worst| worst.stability);
                    @let verdict = window.verdict();
                    tr {
                        td.n { (at + 1) } td { (versions::moment(window.from / 1_000)) } td.n { (window.texts) }
                        td { (worst.map_or("–".to_owned(), |worst| visible(&worst.feature.to_string()))) }
                        td.n { (stability.map_or("–".to_owned(), |of| format!("{:.2}", of.psi))) }
                        td.n { (stability.map_or("–".to_owned(), |of| format!("{:.2} to {:.2}", of.low, of.high))) }
                        td.drifted[verdict == Verdict::Drifted] { (verdict) }
                    }
                } }
            } }
        }
    }

    fn rules(&self) -> Markup {
        let policy = &self.report.policy;
        html! {
            p.note {
                "Each feature of the texts is compared with the model's profile, window by window and over the whole log, by the "
                "population stability index (PSI), less what chance alone makes of it in so few texts. Something has drifted where the "
                "whole interval of its index lies above " (policy.threshold) ". The intervals hold together at "
                (policy.confidence * 100.0) " % over " (self.report.comparisons) " comparisons. Moved means that something has changed, "
                "but that it is not shown to be more than that."
            }
        }
    }
}

/// A pair of bars a bin: the profile's share and the log's.
fn bars(measured: &Measured, whole: &Compared, name: &str) -> Markup {
    let was = measured.histogram.shares();
    let highest = was.iter().chain(&whole.shares).fold(1e-9, |highest: f64, share| highest.max(*share));
    let step = WIDTH / was.len() as f64;
    let bar = |at: usize, side: f64, share: f64| {
        let height = share / highest * HEIGHT;
        let (x, y, width) = (at as f64 * step + (0.08 + side * 0.42) * step, HEIGHT - height, step * 0.4);
        html! { rect x=(round(x)) y=(round(y)) width=(round(width)) height=(round(height)) {} }
    };
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", HEIGHT + 13.0)) role="img" {
            title { "Distribution of " (name) " in the profile and in the log" }
            g.was { @for (at, share) in was.iter().enumerate() { (bar(at, 0.0, *share)) } }
            g.is { @for (at, share) in whole.shares.iter().enumerate() { (bar(at, 1.0, *share)) } }
            line.base x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
            @for (at, label) in labels(measured).into_iter().enumerate() {
                text x=(round((at as f64 + 0.5) * step)) y=(HEIGHT + 11.0) text-anchor="middle" { (visible(&label)) }
            }
        }
    }
}

/// What stands below the bins: their upper ends, or the kinds.
fn labels(measured: &Measured) -> Vec<String> {
    match &measured.bins {
        Bins::Kinds(kinds) => kinds.iter().cloned().chain(["other".to_owned()]).collect(),
        Bins::Edges(edges) => {
            let shown = |edge: f64| match measured.feature {
                Feature::NewWords => format!("{:.0}%", edge * 100.0),
                Feature::NewSurfaces => if edge < 0.5 { "known" } else { "new" }.to_owned(),
                Feature::Confidence | Feature::ConfidenceOf(_) => format!("{edge:.2}").replacen("0.", ".", 1),
                Feature::Length | Feature::Entities | Feature::Rate(_) | Feature::Language => format!("{edge:.0}"),
            };
            let last = match measured.feature {
                Feature::NewSurfaces => "new".to_owned(),
                _ => edges.last().map_or_else(String::new, |_| "more".to_owned()),
            };
            edges.iter().map(|edge| shown(*edge)).chain([last]).collect()
        }
    }
}

/// The index of every window with its interval, and the threshold.
fn over_windows(windows: &[&Compared], threshold: f64, name: &str) -> Markup {
    let highest = windows.iter().filter_map(|of| of.stability).map(|of| of.psi).fold(threshold * 2.0, f64::max) * 1.05;
    let height = |psi: f64| HEIGHT - (psi / highest).clamp(0.0, 1.0) * HEIGHT;
    let step = (WIDTH - LEFT) / windows.len() as f64;
    let radius = (step / 3.0).clamp(1.2, 3.0);
    html! {
        svg viewBox=(format!("0 -4 {WIDTH} {}", HEIGHT + 6.0)) role="img" {
            title { "Population stability index of " (name) " by window" }
            text x=(LEFT - 4.0) y=(round(height(threshold) + 3.0)) text-anchor="end" { (threshold) }
            @if height(threshold) < HEIGHT - 9.0 {
                text x=(LEFT - 4.0) y=(HEIGHT + 1.0) text-anchor="end" { "0" }
            }
            line.base x1=(LEFT) x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
            line.limit x1=(LEFT) x2=(WIDTH) y1=(round(height(threshold))) y2=(round(height(threshold))) {}
            @for (at, compared) in windows.iter().enumerate() {
                @if let Some(stability) = compared.stability {
                    @let x = round(LEFT + (at as f64 + 0.5) * step);
                    g.over[compared.verdict == Verdict::Drifted] {
                        line.band x1=(x) x2=(x) y1=(round(height(stability.low))) y2=(round(height(stability.high))) {}
                        circle.dot cx=(x) cy=(round(height(stability.psi))) r=(round(radius)) {}
                    }
                }
            }
        }
    }
}

/// To a tenth of a unit, which nobody sees.
fn round(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}
