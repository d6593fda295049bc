//! What annotators did often was meant.

use std::collections::HashMap;

use schema::Label;

use super::{Data, Finding, Severity};

/// Share of a label's entities from which a peculiarity is a rule, not a slip.
const RULE: f64 = 0.1;
/// A label with fewer entities has no rules.
const LEAST: usize = 20;

/// Turns warnings into notes where many entities of the label have them: the first place of each finding is the
/// entity.
pub(super) fn soften(data: &Data<'_>, mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut entities: HashMap<&Label, usize> = HashMap::new();
    for (_, entity) in data.entities() {
        *entities.entry(&entity.label).or_default() += 1;
    }
    let label = |finding: &Finding| finding.places.first().and_then(|place| place.label.clone());
    let mut found: HashMap<Label, usize> = HashMap::new();
    for label in findings.iter().filter_map(label) {
        *found.entry(label).or_default() += 1;
    }
    for finding in &mut findings {
        let Some(label) = label(finding) else { continue };
        let all = entities.get(&label).copied().unwrap_or(0);
        if all >= LEAST && found[&label] as f64 > RULE * all as f64 {
            finding.severity = Severity::Note;
        }
    }
    findings
}
