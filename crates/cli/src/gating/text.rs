//! The report of a gate in columns.

use operate::gate::{GateReport, Row, SetReport};

use crate::table::Table;

/// The table, and what it comes to.
pub fn render(report: &GateReport) -> String {
    let mut lines: Vec<String> = report.sets.iter().map(|set| of_set(set, report.policy.confidence)).collect();
    lines.push(format!("{}\n", super::outcome(report)));
    lines.concat()
}

fn of_set(set: &SetReport, confidence: f64) -> String {
    let mut table = Table::default();
    let interval = format!("{} % interval", confidence * 100.0);
    let head = [set.name.as_str(), "entities", "live F1", "candidate", "change", &interval, "p", "may lose", ""];
    table.row(head.map(str::to_owned));
    set.rows.iter().for_each(|row| table.row(cells(row)));
    let mut lines = vec![table.render()];
    let (lost, won) = (set.exchanged.lost.total(), set.exchanged.won.total());
    lines.push(format!("{} texts; {lost} lost (right before, wrong now), {won} won\n", set.texts));
    let [live, candidate] = set.unjudged;
    if live + candidate > 0 {
        lines.push(format!(
            "not judged: {live} entities of the live model and {candidate} of the candidate, where the data does not say what is right\n"
        ));
    }
    lines.concat() + "\n"
}

fn cells(row: &Row) -> Vec<String> {
    let interval = row.change.interval;
    let mut cells = vec![
        row.label.as_ref().map_or("all (micro)".to_owned(), ToString::to_string),
        row.support.to_string(),
        format!("{:.3}", row.change.before.f1()),
        format!("{:.3}", row.change.after.f1()),
        signed(row.change.change),
        format!("{} to {}", signed(interval.low), signed(interval.high)),
        row.p_drop_corrected.map_or("-".to_owned(), |p| format!("{p:.3}")),
        format!("{:.3}", row.bound.max_drop),
    ];
    let gain = row.bound.min_gain.map(|gain| format!(" (must gain {gain:.3})")).unwrap_or_default();
    let fails = if row.fails { "FAILS: " } else { "" };
    cells.push(format!("{fails}{}{gain}", row.verdict));
    cells
}

/// A change; one that is shown as nothing has no sign.
pub fn signed(change: f64) -> String {
    let shown = format!("{change:+.3}");
    if matches!(shown.as_str(), "+0.000" | "-0.000") { "0.000".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!([-0.0001, 0.0, 0.012, -0.5].map(signed), ["0.000", "0.000", "+0.012", "-0.500"]);
    }
}
