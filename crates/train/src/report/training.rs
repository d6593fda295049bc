//! The course of the run: loss and learning rate above, the score on the dev set below, over the same steps.

use maud::{Markup, html};

use super::{
    Curve, figures,
    plot::{self, Axis, SIDE},
};

/// Most points of a line or cloud; a screen shows no more.
const POINTS: usize = 800;
/// The smoothed loss is a mean over a 40th of the run, and over five steps at least.
const SMOOTHED: usize = 40;
/// Range of scores that the plot shows at least.
const SMALLEST_RANGE: f64 = 0.1;

/// A plot and what stands around it.
struct Panel {
    class: &'static str,
    heading: Markup,
    /// What the picture says, for those who do not see it.
    title: String,
    /// Scale of the left side.
    left: Axis,
    /// Text at shares of the right side's height.
    right: Vec<(f64, String)>,
    /// SVG class and path of each line, the lowest first.
    paths: Vec<(&'static str, String)>,
    /// What is drawn over the lines.
    marked: Option<Mark>,
}

/// A point with a text beside it.
struct Mark {
    x: f64,
    y: f64,
    text: String,
}

pub fn section(curve: &Curve) -> Markup {
    let steps = || curve.steps.iter().map(|point| point.step as f64);
    let evaluated = || curve.evaluations.iter().map(|point| point.step as f64);
    let Some(x) = Axis::of(steps().chain(evaluated()), 6).map(Axis::whole) else {
        return html! { section { h2 { "Training" } p.none { "No step was recorded." } } };
    };
    let panels: Vec<Panel> = [loss(curve, x), score(curve, x)].into_iter().flatten().collect();
    html! {
        section {
            h2 { "Training" }
            figure.training {
                @for panel in &panels { (panel.render(x)) }
                div.caption aria-hidden="true" { "step" }
                div.axis aria-hidden="true" {
                    @for (value, text) in x.ticks() { span style=(left(x.place(value))) { (text) } }
                }
            }
            @if !curve.evaluations.is_empty() { (evaluations(curve)) }
        }
    }
}

fn loss(curve: &Curve, x: Axis) -> Option<Panel> {
    let losses: Vec<f64> = curve.steps.iter().map(|point| point.loss).collect();
    let left = Axis::of(losses.iter().copied().chain([0.0]), 4)?.rounded();
    let window = (losses.len() / SMOOTHED / 2).max(2).min(losses.len().saturating_sub(1) / 2);
    let places = |values: &[f64]| -> Vec<(f64, f64)> {
        let points = curve.steps.iter().zip(values);
        points.map(|(point, value)| (x.place(point.step as f64), left.place(*value))).collect()
    };
    let smoothed = plot::smooth(&losses, window);
    let mut paths = vec![
        ("raw", plot::dots(plot::thin(&places(&losses), POINTS))),
        ("loss", plot::line(plot::thin(&places(&smoothed), POINTS))),
    ];
    let peak = curve.steps.iter().map(|point| point.rate).filter(|rate| rate.is_finite()).fold(0.0, f64::max);
    let mut right = Vec::new();
    if peak > 0.0 {
        let rates: Vec<_> = curve.steps.iter().map(|point| (x.place(point.step as f64), point.rate / peak)).collect();
        paths.insert(0, ("rate", plot::line(plot::thin(&rates, POINTS))));
        right = vec![(1.0, figures::rate(peak)), (0.5, figures::rate(peak / 2.0)), (0.0, "0".to_owned())];
    }
    let ends =
        |values: &[f64]| Some((*values.iter().find(|v| v.is_finite())?, *values.iter().rfind(|v| v.is_finite())?));
    let (first, last) = ends(&smoothed)?;
    let heading = html! {
        h3 { "Loss" }
        ul.legend {
            li { span.key.raw {} "of a batch" }
            @if window > 0 { li { span.key.loss {} "mean of " (2 * window + 1) " steps" } }
            @if peak > 0.0 { li { span.key.rate {} "learning rate, right scale" } }
        }
    };
    let title = format!(
        "Loss until step {}: {first:.3} at the beginning, {last:.3} at the end; learning rate up to {}",
        figures::grouped(curve.step()),
        figures::rate(peak)
    );
    Some(Panel { class: "tall", heading, title, left, right, paths, marked: None })
}

fn score(curve: &Curve, x: Axis) -> Option<Panel> {
    let evaluations = || curve.evaluations.iter();
    let old = || evaluations().filter_map(|point| Some((point.step, point.old_f1?)));
    let scores = || evaluations().map(|point| point.f1).chain(old().map(|(_, f1)| f1)).filter(|f1| f1.is_finite());
    scores().next()?;
    // Small moves stay small, and no tick lies where no score can.
    let low = (scores().fold(0.0, f64::max) - SMALLEST_RANGE).max(0.0);
    let left = Axis::of(scores().chain([low, low + SMALLEST_RANGE]), 3)?.rounded();
    let place = |(step, f1): (u64, f64)| (x.place(step as f64), left.place(f1));
    let places: Vec<_> = evaluations().map(|point| place((point.step, point.f1))).collect();
    let old: Vec<_> = old().map(place).collect();
    let best = curve.best();
    let marked = best.map(|best| Mark {
        x: x.place(best.step as f64),
        y: left.place(best.f1),
        text: format!("{} at step {}", figures::fraction(best.f1), figures::grouped(best.step)),
    });
    let heading = html! {
        h3 { "F1 on dev" }
        @if best.is_some() || !old.is_empty() {
            ul.legend {
                @if !old.is_empty() {
                    li { span.key {} "of what is learned" }
                    li { span.key.old {} "of what was known" }
                }
                @if best.is_some() { li { span.key.best {} "the best, kept as model-best" } }
            }
        }
    };
    let title = match best {
        Some(best) => format!(
            "F1 on the dev set after {} evaluations: the best is {:.3} at step {}{}",
            curve.evaluations.len(),
            best.f1,
            best.step,
            best.old_f1.map(|old| format!(", where it is {old:.3} of what was known")).unwrap_or_default()
        ),
        None => format!("F1 on the dev set after {} evaluations", curve.evaluations.len()),
    };
    let mut paths = vec![("score", plot::line(places.iter().copied())), ("scores", plot::dots(places))];
    if !old.is_empty() {
        paths.insert(0, ("old", plot::line(old)));
    }
    Some(Panel { class: "low", heading, title, left, right: Vec::new(), paths, marked })
}

impl Panel {
    fn render(&self, x: Axis) -> Markup {
        let rules = plot::rules(self.left.ticks().map(|(value, _)| self.left.place(value)));
        html! {
            div.head { (self.heading) }
            div class={ "scale " (self.class) } aria-hidden="true" {
                @for (value, text) in self.left.ticks() { span style=(top(self.left.place(value))) { (text) } }
            }
            div class={ "plot " (self.class) } {
                svg viewBox=(format!("0 0 {SIDE} {SIDE}")) preserveAspectRatio="none" role="img" {
                    title { (self.title) }
                    path.rules d=(rules) {}
                    path.ticks d=(plot::pegs(x.ticks().map(|(value, _)| x.place(value)))) {}
                    @for (class, path) in &self.paths { path class=(class) d=(path) {} }
                    @if let Some(Mark { x, y, .. }) = self.marked { path.best d=(plot::dots([(x, y)])) {} }
                }
                @if let Some(mark) = &self.marked {
                    // On the side where there is room, below the point: nothing is above the best.
                    span class={ "mark" @if mark.x > 0.5 { " before" } } style={ (left(mark.x)) ";" (top(mark.y)) } {
                        (mark.text)
                    }
                }
            }
            div class={ "scale right " (self.class) } aria-hidden="true" {
                @for (share, text) in &self.right { span style=(top(*share)) { (text) } }
            }
        }
    }
}

fn left(share: f64) -> String {
    format!("left:{:.2}%", share * 100.0)
}

fn top(share: f64) -> String {
    format!("top:{:.2}%", (1.0 - share) * 100.0)
}

/// The evaluations as numbers.
fn evaluations(curve: &Curve) -> Markup {
    let best = curve.best().map(|best| best.step);
    let is_update = curve.evaluations.iter().any(|point| point.old_f1.is_some());
    html! {
        details {
            summary { "Every evaluation in numbers" }
            div.scroll tabindex="0" role="region" aria-label="Evaluations on the dev set" {
                table {
                    thead { tr { th.n scope="col" { "Step" } th.n scope="col" { "F1" } th.n scope="col" { "Precision" }
                        th.n scope="col" { "Recall" } @if is_update { th.n scope="col" { "F1 of the known" } }
                        th.n scope="col" { "Time" } th scope="col" { "" } } }
                    tbody {
                        @for point in &curve.evaluations {
                            tr {
                                th.n scope="row" { (figures::grouped(point.step)) }
                                td.n { (figures::fraction(point.f1)) }
                                td.n { (figures::fraction(point.precision)) }
                                td.n { (figures::fraction(point.recall)) }
                                @if is_update { td.n { (point.old_f1.map(figures::fraction).unwrap_or_default()) } }
                                td.n { (figures::duration(point.elapsed)) }
                                td { @if best == Some(point.step) { "best" } }
                            }
                        }
                    }
                }
            }
        }
    }
}
