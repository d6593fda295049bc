//! Q016: nearly the same text again in one file.

use super::{Check, Data, Finding, Rule, Severity, near};

pub(super) const RULE: Rule = Rule {
    code: "Q016",
    name: "near-duplicate",
    severity: Severity::Note,
    what: "A text of six words and more that nearly repeats an earlier one of its file: at least 70 % of the runs of \
           three words that the two have are in both.",
    why: "Boilerplate and templates count many times, in training and in the score, and in a random split they fall \
           on both sides.",
    fix: "Keep one of each group, or split by groups of near duplicates, which is the default.",
    command: Some("nomen split FILE... --out DIR --group-by near"),
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let pairs = near::pairs(data, |earlier, text| earlier.file == text.file);
    let finding = |pair: &near::Pair<'_>| {
        let (text, earlier) = (pair.text.index + 1, pair.earlier.index + 1);
        let message = format!("text {text} nearly repeats text {earlier} ({:.0} % the same)", 100.0 * pair.similarity);
        Finding::new(Check::NearDuplicate, message, vec![data.place(pair.text), data.place(pair.earlier)])
    };
    pairs.iter().map(finding).collect()
}
