//! Scores for a person to read.

use std::collections::BTreeSet;

use evaluate::{Average, Confused, Counts, Report};
use schema::Label;

use crate::table::Table;

/// How many confusions are listed.
const CONFUSIONS: usize = 10;
/// How many unreachable entities are listed.
const UNREACHABLE: usize = 5;

/// A score as a fraction.
pub fn fraction(score: f64) -> String {
    format!("{score:.3}")
}

/// Everything that a report says, but for the errors in their text.
pub fn render(report: &Report) -> String {
    let micro = report.scores.micro();
    let mut text = by_label(report).render();
    text.push('\n');
    if let Some(interval) = report.interval {
        text += &format!(
            "F1 {}, 95 % interval {} to {} ({} texts drawn anew {} times)\n",
            fraction(micro.f1()),
            fraction(interval.low),
            fraction(interval.high),
            report.texts,
            interval.resamples
        );
    }
    if report.unjudged > 0 {
        let count = report.unjudged;
        text += &format!("not judged: {count} entities found where the data does not say what is right\n");
    }
    text += &unreachable(report, micro.gold);
    text += &confusions(report);
    text
}

fn by_label(report: &Report) -> Table {
    let mut table = Table::new(["", "precision", "recall", "F1", "in data", "found", "correct"]);
    let counts = |table: &mut Table, name: &str, counts: Counts| {
        let [p, r, f] = ratios(counts.average());
        let [gold, found, correct] = [counts.gold, counts.predicted, counts.correct].map(|count| count.to_string());
        table.row([name.to_owned(), p, r, f, gold, found, correct]);
    };
    for (label, label_counts) in report.scores.by_label() {
        counts(&mut table, label.as_str(), *label_counts);
    }
    table.gap();
    counts(&mut table, "all (micro)", report.scores.micro());
    let [p, r, f] = ratios(report.scores.macro_average());
    table.row(["mean of labels (macro)".to_owned(), p, r, f]);
    counts(&mut table, "right span, any label", report.exact_boundary);
    counts(&mut table, "right label, overlapping span", report.overlap);
    table
}

fn ratios(average: Average) -> [String; 3] {
    [average.p, average.r, average.f].map(fraction)
}

fn unreachable(report: &Report, gold: usize) -> String {
    let count = report.unreachable.len();
    if count == 0 {
        return String::new();
    }
    let mut text = format!("unreachable: {count} of {gold} entities in the data cannot come out of this model\n");
    for mention in report.unreachable.iter().take(UNREACHABLE) {
        let document = mention.id.clone().unwrap_or_else(|| format!("text {}", mention.document + 1));
        let mention = &mention.mention;
        text += &format!("  {document}: {:?} {} at {}..{}\n", mention.text, mention.label, mention.start, mention.end);
    }
    if count > UNREACHABLE {
        text += &format!("  and {} more (all of them with --json)\n", count - UNREACHABLE);
    }
    text
}

fn confusions(report: &Report) -> String {
    if report.confusion.errors.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["in the data", "found as", "times"]);
    for Confused { gold, predicted, count } in report.confusion.errors.iter().take(CONFUSIONS) {
        let name =
            |label: &Option<Label>, none: &str| label.as_ref().map_or_else(|| none.to_owned(), ToString::to_string);
        table.row([name(gold, "(nothing)"), name(predicted, "(missed)"), count.to_string()]);
    }
    format!("\nmost frequent errors, by exact span\n{}", table.render())
}

/// Strict scores by label on several sets, each with its own columns.
pub fn side_by_side(reports: &[(&str, &Report)]) -> String {
    let mut table = Table::default();
    let mut headings = vec![String::new()];
    for (name, _) in reports {
        headings.extend(["P", "R", "F1", "entities"].map(|what| format!("{name} {what}")));
    }
    table.cells(headings);
    let labels: BTreeSet<&Label> = reports.iter().flat_map(|(_, report)| report.scores.by_label().keys()).collect();
    let mut row = |name: &str, of: &dyn Fn(&Report) -> Option<Counts>| {
        let mut cells = vec![name.to_owned()];
        for (_, report) in reports {
            match of(report) {
                Some(counts) => {
                    cells.extend(ratios(counts.average()));
                    cells.push(counts.gold.to_string());
                }
                None => cells.extend([const { String::new() }; 4]),
            }
        }
        table.cells(cells);
    };
    for label in labels {
        row(label.as_str(), &|report| report.scores.by_label().get(label).copied());
    }
    row("all (micro)", &|report| Some(report.scores.micro()));
    let mut text = table.render();
    for (name, report) in reports {
        if let Some(interval) = report.interval {
            let [low, high] = [interval.low, interval.high].map(fraction);
            text += &format!("{name}: 95 % interval of F1 {low} to {high}\n");
        }
        if !report.unreachable.is_empty() {
            text += &format!("{name}: {} entities cannot come out of this model\n", report.unreachable.len());
        }
    }
    text
}
