//! A gate from two models to what it says, for programs and for people.

mod judging;
mod page;
mod text;

pub use judging::{Contender, Judged, Test, refuse_seen};
pub use page::page;
pub use text::render;

use operate::gate::GateReport;

/// What the rows come to, in words.
fn outcome(report: &GateReport) -> String {
    let mut failed = Vec::new();
    for set in &report.sets {
        for row in set.rows.iter().filter(|row| row.fails) {
            let label = row.label.as_ref().map_or("all labels", |label| label.as_str());
            failed.push(format!("{label} on {} ({})", set.name, row.verdict));
        }
    }
    match failed.as_slice() {
        [] => "passed".to_owned(),
        failed => format!("failed: {}", failed.join(", ")),
    }
}
