//! Q009: a surface that is labelled elsewhere and not here.

use super::{Check, Data, Finding, Rule, Severity, finding::times, surfaces};

/// A surface of one word needs so many labelled mentions.
const LEAST: usize = 5;
/// One of several words needs fewer: it means other things less often.
const LEAST_LONG: usize = 3;
/// Share of mentions without a label up to which they are suspect.
const RARE: f64 = 0.15;
/// The same for words in lower case, which more often mean something else.
const RARE_EVERYDAY: f64 = 0.05;

pub(super) const RULE: Rule = Rule {
    code: "Q009",
    name: "missed-mention",
    severity: Severity::Warning,
    what: "A surface that is labelled at least five times (three times where it has several words) and stands without \
           a label in at most 15 % of its places (5 % for one word in lower case; or just once for several words). \
           Compared letter for letter as whole words; parts of compounds (`non-FAP`, `lib_java`), numbers, and texts \
           marked as incomplete are passed over.",
    why: "What is not labelled is learned as no entity, so a forgotten mention teaches the contrary of all others and \
           counts as a false alarm of a model that finds it.",
    fix: "Label the place, unless the word means something else there.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (surface, found) in surfaces::with_bare(data) {
        let (labelled, bare) = (found.labelled(), found.bare.len());
        let several_words = surfaces::words(surface).nth(1).is_some();
        let enough = labelled >= if several_words { LEAST_LONG } else { LEAST };
        if bare == 0 || !enough || !surfaces::is_name(surface) {
            continue;
        }
        let rare = if !several_words && surfaces::is_everyday(surface) { RARE_EVERYDAY } else { RARE };
        if bare as f64 > rare * (labelled + bare) as f64 && !(several_words && bare == 1) {
            continue;
        }
        let usual = found.labels.iter().max_by_key(|(_, places)| places.len()).map(|(label, _)| *label);
        let Some(label) = usual else { continue };
        let (labelled, bare) = (times(labelled), times(bare));
        let message = format!("{surface:?} is labelled {labelled} (mostly {label}) and not labelled {bare}");
        findings.push(Finding::new(Check::MissedMention, message, found.bare));
    }
    findings
}
