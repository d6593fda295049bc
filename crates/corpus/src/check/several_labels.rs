//! Q008: one surface with several labels.

use super::{Check, Data, Finding, Rule, Severity, surfaces};

/// The usual label needs so many mentions.
const LEAST: usize = 5;
/// Another label is suspect up to this share of the usual one.
const RARE: f64 = 0.15;

pub(super) const RULE: Rule = Rule {
    code: "Q008",
    name: "several-labels",
    severity: Severity::Warning,
    what: "A surface that has one label at least five times and another one at most 15 % as often. The places are \
           those of the rarer label.",
    why: "Mostly the rarer label is a slip, and it teaches the model to be unsure. Words that do mean two things have \
           both labels more evenly and are not told, nor are numbers.",
    fix: "Look at each place and correct the label.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (surface, found) in surfaces::labelled(data) {
        let usual = found.labels.iter().max_by_key(|(_, places)| places.len());
        let Some((usual, often)) = usual.map(|(label, places)| (*label, places.len())) else { continue };
        if often < LEAST || !surfaces::is_name(surface) {
            continue;
        }
        for (label, places) in found.labels.into_iter().filter(|(label, _)| *label != usual) {
            if places.len() as f64 <= RARE * often as f64 {
                let message =
                    format!("{surface:?} is {label} here ({} of {}), else {usual}", places.len(), often + places.len());
                findings.push(Finding::new(Check::SeveralLabels, message, places));
            }
        }
    }
    findings
}
