//! Q018: nearly the same text in two files.

use super::{Check, Data, Finding, Rule, Severity, leak, near, rule::SPLIT};

pub(super) const RULE: Rule = Rule {
    code: "Q018",
    name: "near-leak",
    severity: Severity::Warning,
    what: "A text of six words and more that nearly repeats one of an earlier file: at least 70 % of the runs of \
           three words that the two have are in both.",
    why: "A model that has learned the one by heart knows the other, so the score is too good.",
    fix: "Split again by groups of near duplicates, or drop the text from the training file.",
    command: SPLIT,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let pairs = near::pairs(data, |earlier, text| earlier.file != text.file);
    let finding = |pair: &near::Pair<'_>| {
        let place = data.place(pair.earlier);
        let (file, line) = (leak::name(data, place.file), leak::at(place.line));
        let message = format!("{file}{line} has nearly the same text ({:.0} % the same)", 100.0 * pair.similarity);
        Finding::new(Check::NearLeak, message, vec![data.place(pair.text), place])
    };
    pairs.iter().map(finding).collect()
}
