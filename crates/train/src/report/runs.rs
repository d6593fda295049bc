//! Several runs on one page: their losses and their scores on dev, over the same steps.

use maud::{Markup, html};

use super::{
    Curve, STYLE, figures, page,
    plot::{self, Axis, SIDE},
    text::visible,
};

/// Most points of a line; a screen shows no more.
const POINTS: usize = 800;
/// The smoothed loss is a mean over a 40th of the run, and over five steps at least.
const SMOOTHED: usize = 40;
/// Colours that people with red-green blindness can tell apart (Okabe and Ito, 2008); runs beyond them are dashed.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

const RUNS_STYLE: &str = "
.axis span { white-space: nowrap; }
.plot path.run { stroke-width: 2; }
.plot path.spots { stroke-width: 6; }
.plot path.again { stroke-dasharray: 6 5; }
.key.again { border-top-style: dashed; }
";

/// A run and its course.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunCurve<'r> {
    /// Its name.
    pub name: &'r str,
    /// Its course.
    pub curve: &'r Curve,
}

/// The runs as a page of HTML: one file without scripts and without anything to fetch.
pub fn render_runs(runs: &[RunCurve<'_>]) -> String {
    let body = html! {
        header { p.over { "Nomen" } h1 { "Training runs" } }
        main {
            (plots(runs))
            section { h2 { "In numbers" } (table(runs)) }
        }
        footer { "Nomen " (env!("CARGO_PKG_VERSION")) }
    };
    page("Training runs", &format!("{STYLE}{RUNS_STYLE}"), &body)
}

fn plots(runs: &[RunCurve<'_>]) -> Markup {
    let steps = runs.iter().flat_map(|run| {
        let evaluated = run.curve.evaluations.iter().map(|point| point.step);
        run.curve.steps.iter().map(|point| point.step).chain(evaluated)
    });
    let Some(x) = Axis::of(steps.map(|step| step as f64), 6).map(Axis::whole) else {
        return html! { section { p.none { "No step was recorded." } } };
    };
    let losses: Vec<Vec<(f64, f64)>> = runs.iter().map(|run| losses(run.curve)).collect();
    let scores: Vec<Vec<(f64, f64)>> = runs.iter().map(|run| scores(run.curve)).collect();
    html! {
        section {
            ul.legend {
                @for (place, run) in runs.iter().enumerate() {
                    li {
                        span.key.again[is_again(place)] style={ "border-top-color:" (colour(place)) } {}
                        (visible(run.name))
                    }
                }
            }
            figure.training {
                (panel("Loss, a mean over neighbouring steps", "tall", x, &losses, Some(0.0), false))
                (panel("F1 on dev", "tall", x, &scores, None, true))
                div.caption aria-hidden="true" { "step" }
                div.axis aria-hidden="true" {
                    @for (value, text) in x.ticks() { span style={ "left:" (percent(x.place(value))) } { (text) } }
                }
            }
        }
    }
}

fn losses(curve: &Curve) -> Vec<(f64, f64)> {
    let losses: Vec<f64> = curve.steps.iter().map(|point| point.loss).collect();
    let window = (losses.len() / SMOOTHED / 2).max(2).min(losses.len().saturating_sub(1) / 2);
    let points = curve.steps.iter().map(|point| point.step as f64);
    plot::thin(&points.zip(plot::smooth(&losses, window)).collect::<Vec<_>>(), POINTS)
}

fn scores(curve: &Curve) -> Vec<(f64, f64)> {
    curve.evaluations.iter().map(|point| (point.step as f64, point.f1)).collect()
}

/// A plot of one line a run; nothing where no run has a point. `low` is a value that the scale has whatever the lines do.
fn panel(heading: &str, class: &str, x: Axis, lines: &[Vec<(f64, f64)>], low: Option<f64>, spots: bool) -> Markup {
    let values = lines.iter().flatten().map(|(_, value)| *value).chain(low);
    let has_point = lines.iter().flatten().any(|(_, value)| value.is_finite());
    let Some(y) = Axis::of(values, 4).filter(|_| has_point).map(Axis::rounded) else { return html! {} };
    let placed = |line: &[(f64, f64)]| -> Vec<_> {
        line.iter().map(|(step, value)| (x.place(*step), y.place(*value))).collect()
    };
    html! {
        div.head { h3 { (heading) } }
        div class={ "scale " (class) } aria-hidden="true" {
            @for (value, text) in y.ticks() { span style={ "top:" (percent(1.0 - y.place(value))) } { (text) } }
        }
        div class={ "plot " (class) } {
            svg viewBox=(format!("0 0 {SIDE} {SIDE}")) preserveAspectRatio="none" role="img" {
                title { (heading) ", one line a run" }
                path.rules d=(plot::rules(y.ticks().map(|(value, _)| y.place(value)))) {}
                path.ticks d=(plot::pegs(x.ticks().map(|(value, _)| x.place(value)))) {}
                @for (place, line) in lines.iter().enumerate() {
                    @let stroke = format!("stroke:{}", colour(place));
                    path.run.again[is_again(place)] style=(stroke) d=(plot::line(placed(line))) {}
                    @if spots { path.run.spots style=(stroke) d=(plot::dots(placed(line))) {} }
                }
            }
        }
        div class={ "scale right " (class) } aria-hidden="true" {}
    }
}

fn table(runs: &[RunCurve<'_>]) -> Markup {
    let first_and_last = |curve: &Curve| {
        let losses = losses(curve);
        let finite = || losses.iter().map(|(_, loss)| *loss).filter(|loss| loss.is_finite());
        (finite().next().unwrap_or(f64::NAN), finite().next_back().unwrap_or(f64::NAN))
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs in numbers" {
            table {
                thead { tr { th scope="col" { "Run" } th.n scope="col" { "Steps" } th.n scope="col" { "Loss, first" }
                    th.n scope="col" { "Loss, last" } th.n scope="col" { "Best F1 on dev" } th.n scope="col" { "at step" }
                    th.n scope="col" { "Training" } } }
                tbody {
                    @for RunCurve { name, curve } in runs {
                        @let (first, last) = first_and_last(curve);
                        @let best = curve.best();
                        tr {
                            th scope="row" { (visible(name)) }
                            td.n { (figures::grouped(curve.step())) }
                            td.n { (figures::fraction(first)) }
                            td.n { (figures::fraction(last)) }
                            td.n { (figures::fraction(best.map_or(f64::NAN, |best| best.f1))) }
                            td.n { (best.map_or("–".to_owned(), |best| figures::grouped(best.step))) }
                            td.n { (figures::duration(curve.training_time())) }
                        }
                    }
                }
            }
        }
    }
}

fn colour(place: usize) -> &'static str {
    COLOURS[place % COLOURS.len()]
}

/// Whether a run has the colour of one before it.
fn is_again(place: usize) -> bool {
    place >= COLOURS.len()
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}
