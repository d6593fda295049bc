//! What the run was: its beginning, its end, its data and settings.

use maud::{Markup, html};
use serde_json::Value;

use super::{RunReport, figures, scores, text::visible};
use crate::{Choice, End};

/// The figures that a reader looks for first.
pub fn headline(run: &RunReport<'_>) -> Markup {
    let score = run.sets().last().map(|(name, report)| {
        let interval = report.interval.is_some().then(|| format!("95 % interval {}", scores::interval(report)));
        (format!("F1 on {name}"), figures::fraction(report.scores.micro().f1()), interval)
    });
    let best = run.curve.best();
    let dev = best.map(|best| {
        let at = format!("at step {} of {}", figures::grouped(best.step), figures::grouped(run.curve.step()));
        ("Best F1 on dev".to_owned(), figures::fraction(best.f1), Some(at))
    });
    let judging = run.curve.evaluation_time();
    let time = (
        "Training time".to_owned(),
        figures::duration(run.curve.training_time()),
        (!judging.is_zero()).then(|| format!("and {} to evaluate", figures::duration(judging))),
    );
    let speed = run
        .curve
        .pieces_per_second()
        .map(|speed| ("Word pieces a second".to_owned(), figures::grouped(speed.round() as u64), Some(threads(run))));
    html! {
        dl.headline {
            @for (name, value, beside) in [score, dev, Some(time), speed].into_iter().flatten() {
                div { dt { (name) } dd { strong { (value) } @if let Some(beside) = beside { small { (beside) } } } }
            }
        }
    }
}

fn threads(run: &RunReport<'_>) -> String {
    let threads = run.settings.threads;
    format!("{threads} {}", if threads == 1 { "thread" } else { "threads" })
}

/// How the run ended, in a sentence or two.
pub fn ending(run: &RunReport<'_>) -> String {
    let (step, steps) = (figures::grouped(run.curve.step()), figures::grouped(run.steps));
    let end = match run.curve.end {
        Some(End::Finished) => format!("All {steps} steps were taken."),
        Some(End::NoProgress) => format!(
            "Ended early, after {step} of {steps} steps: the score on dev had not risen for {} evaluations.",
            run.settings.patience
        ),
        Some(End::Diverged) => format!(
            "Diverged after {step} of {steps} steps: the loss is higher than guessing would give. Lower learning_rate."
        ),
        None => format!("Not finished: {step} of {steps} steps are taken; train with --resume goes on."),
    };
    let has_dev = run.data.iter().any(|set| set.name == "dev");
    match (run.curve.best(), run.curve.end) {
        (Some(best), _) if run.sets().is_empty() => {
            format!("{end} model-best is from step {}.", figures::grouped(best.step))
        }
        (Some(best), _) => {
            format!("{end} The scores are those of model-best, from step {}.", figures::grouped(best.step))
        }
        (None, Some(End::Finished)) if !has_dev => {
            format!("{end} Without a dev set to choose by, model-best is the last model.")
        }
        (None, _) => end,
    }
}

/// What data, base and machine the run had.
pub fn facts(run: &RunReport<'_>) -> Markup {
    let base = &run.base;
    html! {
        dl.facts {
            dt { "Base" }
            dd {
                (visible(base.spec)) ": " (base.facts.layers) " layers of width " (base.facts.width) ", "
                (figures::millions(base.facts.parameters)) " weights"
                @if let Some(licence) = base.licence { "; licence " (visible(licence)) }
            }
            dt { "Machine" }
            dd { (threads(run)) @if !run.machine.is_empty() { "; " (visible(run.machine)) } }
            dt { "Seed" }
            dd { (run.settings.seed) }
            @if !run.curve.resumed.is_empty() {
                dt { "Resumed" }
                dd {
                    "after step "
                    (run.curve.resumed.iter().map(|step| figures::grouped(*step)).collect::<Vec<_>>().join(", "))
                }
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Data" {
            table {
                thead { tr {
                    th scope="col" { "Data" } th scope="col" { "File" } th.n scope="col" { "Texts" }
                    th.n scope="col" { "Without entity" } th.n scope="col" { "Entities" } th.n scope="col" { "Labels" }
                } }
                tbody { @for set in &run.data {
                    tr {
                        th scope="row" { (set.name) }
                        td { (visible(&set.file)) }
                        td.n { (figures::grouped(set.texts as u64)) }
                        td.n { (figures::grouped(set.texts_without_entities as u64)) }
                        td.n { (figures::grouped(set.labels.values().sum::<usize>() as u64)) }
                        td.n { (set.labels.len()) }
                    }
                } }
            }
        }
    }
}

/// Every setting, those that were chosen with the reason.
pub fn settings(run: &RunReport<'_>) -> Markup {
    let mut all = serde_json::Map::new();
    if let Ok(Value::Object(settings)) = serde_json::to_value(run.settings) {
        for (key, value) in settings {
            match value {
                Value::Object(section) => {
                    all.extend(section.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
                }
                value => drop(all.insert(key, value)),
            }
        }
    }
    let chosen = |key: &str| run.choices.iter().find(|choice| choice.key == key);
    html! {
        @if !run.choices.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Settings that were chosen" {
                table {
                    thead { tr { th scope="col" { "Chosen" } th.n scope="col" { "Value" } th scope="col" { "Why" } } }
                    tbody { @for Choice { key, value, why } in run.choices {
                        tr { th.code scope="row" { (key) } td.n { (unquoted(value)) } td.why { (visible(why)) } }
                    } }
                }
            }
        }
        details {
            summary { @if run.choices.is_empty() { "All settings" } @else { "All other settings" } }
            div.scroll tabindex="0" role="region" aria-label="Settings" {
                table {
                    thead { tr { th scope="col" { "Setting" } th.n scope="col" { "Value" } } }
                    tbody { @for (key, value) in all.iter().filter(|(key, _)| chosen(key).is_none()) {
                        tr { th.code scope="row" { (key) } td.n { (unquoted(&value.to_string())) } }
                    } }
                }
            }
        }
    }
}

/// A value as a person writes it in a sentence.
fn unquoted(value: &str) -> String {
    visible(value.trim_matches('"'))
}
