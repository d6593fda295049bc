//! Scores for a person to read.

use std::collections::BTreeSet;

use evaluate::{Average, Confused, Counts, Report, Slices};
use schema::Label;

use crate::table::Table;

/// How many confusions are listed.
const CONFUSIONS: usize = 10;
/// How many unreachable entities are listed.
const UNREACHABLE: usize = 5;

/// Everything that a report says, but for the errors in their text.
pub fn render(report: &Report) -> String {
    let micro = report.scores.micro();
    let mut lines = vec![by_label(report).render()];
    if let Some(interval) = report.interval {
        lines.push(format!(
            "F1 {}, 95 % interval {} to {} ({} texts drawn anew {} times)\n",
            fraction(micro.f1()),
            fraction(interval.low),
            fraction(interval.high),
            report.texts,
            interval.resamples
        ));
    }
    if report.unjudged > 0 {
        let count = report.unjudged;
        lines.push(format!("not judged: {count} entities found where the data does not say what is right\n"));
    }
    lines.extend(unreachable(report, micro.gold));
    if !report.confusion.errors.is_empty() {
        lines.push(format!("\nmost frequent errors, by exact span\n{}", confusions(report).render()));
    }
    lines.insert(1, "\n".to_owned());
    lines.concat()
}

/// Strict scores by label on several sets, each with its own columns.
pub fn side_by_side(reports: &[(&str, &Report)]) -> String {
    let mut table = Table::default();
    let columns = |name: &str| ["P", "R", "F1", "entities"].map(|what| format!("{name} {what}"));
    table.row([String::new()].into_iter().chain(reports.iter().flat_map(|(name, _)| columns(name))));
    let labels: BTreeSet<&Label> = reports.iter().flat_map(|(_, report)| report.scores.by_label().keys()).collect();
    let mut row = |name: &str, of: &dyn Fn(&Report) -> Option<Counts>| {
        let cells = reports.iter().flat_map(|(_, report)| match of(report) {
            Some(counts) => {
                let [p, r, f] = ratios(counts.average());
                [p, r, f, counts.gold.to_string()]
            }
            None => Default::default(),
        });
        table.row([name.to_owned()].into_iter().chain(cells));
    };
    for label in labels {
        row(label.as_str(), &|report| report.scores.by_label().get(label).copied());
    }
    row("all (micro)", &|report| Some(report.scores.micro()));
    let mut lines = vec![table.render()];
    for (name, report) in reports {
        if let Some(interval) = report.interval {
            let [low, high] = [interval.low, interval.high].map(fraction);
            lines.push(format!("{name}: 95 % interval of F1 {low} to {high}\n"));
        }
        if !report.unreachable.is_empty() {
            lines.push(format!("{name}: {} entities cannot come out of this model\n", report.unreachable.len()));
        }
    }
    lines.concat()
}

/// Strict scores by the values of a metadata field.
pub fn by_slice(slices: &Slices) -> String {
    let mut table = Table::default();
    table.row(["", "texts", "entities", "precision", "recall", "F1", "95 % interval"].map(str::to_owned));
    for slice in &slices.slices {
        let sizes = [shortened(&slice.of.to_string()), slice.texts.to_string(), slice.counts.gold.to_string()];
        if slice.counts.gold + slice.counts.predicted == 0 {
            table.row(sizes.into_iter().chain(["-"; 3].map(str::to_owned)));
            continue;
        }
        let interval =
            slice.interval.map(|interval| format!("{} to {}", fraction(interval.low), fraction(interval.high)));
        table.row(sizes.into_iter().chain(ratios(slice.counts.average())).chain(interval));
    }
    format!("\nby meta.{}, the worst first\n{}", slices.key, table.render())
}

/// A value of any length in a column.
fn shortened(value: &str) -> String {
    const LONGEST: usize = 40;
    let line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST + 1).collect();
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn by_label(report: &Report) -> Table {
    let mut table = Table::default();
    table.row(["", "precision", "recall", "F1", "in data", "found", "correct"].map(str::to_owned));
    let row = |name: &str, counts: Counts| {
        let [p, r, f] = ratios(counts.average());
        let [gold, found, correct] = [counts.gold, counts.predicted, counts.correct].map(|count| count.to_string());
        [name.to_owned(), p, r, f, gold, found, correct]
    };
    for (label, counts) in report.scores.by_label() {
        table.row(row(label.as_str(), *counts));
    }
    table.row([]);
    table.row(row("all (micro)", report.scores.micro()));
    let [p, r, f] = ratios(report.scores.macro_average());
    table.row(["mean of labels (macro)".to_owned(), p, r, f]);
    table.row(row("right span, any label", report.exact_boundary));
    table.row(row("right label, overlapping span", report.overlap));
    table
}

fn unreachable(report: &Report, gold: usize) -> Vec<String> {
    let count = report.unreachable.len();
    let mut lines = Vec::new();
    if count > 0 {
        lines.push(format!("unreachable: {count} of {gold} entities in the data cannot come out of this model\n"));
    }
    for mention in report.unreachable.iter().take(UNREACHABLE) {
        let document = mention.id.clone().unwrap_or_else(|| format!("text {}", mention.document + 1));
        let mention = &mention.mention;
        lines.push(format!(
            "  {document}: {:?} {} at {}..{}\n",
            mention.text, mention.label, mention.start, mention.end
        ));
    }
    if count > UNREACHABLE {
        lines.push(format!("  and {} more (all of them with --json)\n", count - UNREACHABLE));
    }
    lines
}

fn confusions(report: &Report) -> Table {
    let mut table = Table::default();
    table.row(["in the data", "found as", "times"].map(str::to_owned));
    let name = |label: &Option<Label>, none: &str| label.as_ref().map_or_else(|| none.to_owned(), ToString::to_string);
    for Confused { gold, predicted, count } in report.confusion.errors.iter().take(CONFUSIONS) {
        table.row([name(gold, "(nothing)"), name(predicted, "(missed)"), count.to_string()]);
    }
    table
}

fn ratios(average: Average) -> [String; 3] {
    [average.p, average.r, average.f].map(fraction)
}

fn fraction(score: f64) -> String {
    format!("{score:.3}")
}
