//! Q020: texts far longer than the others of their file.

use super::{Check, Data, Finding, Rule, Severity, data::Located};

/// A text is huge if it is so many times as long as the median.
const TIMES: usize = 20;
/// Bytes below which no text is huge: several windows of a model.
const SHORT: usize = 8_000;

pub(super) const RULE: Rule = Rule {
    code: "Q020",
    name: "huge-text",
    severity: Severity::Note,
    what: "A text of more than 8,000 bytes that is 20 times as long as the median of its file, or that is alone in it.",
    why: "It is read in windows and none of it is cut off, but mostly many texts were put into one, and a score by \
           text says little of it.",
    fix: "Where it holds many texts, put each on its own.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in data.files.iter().enumerate() {
        let mut lengths: Vec<usize> = source.documents.iter().map(|document| document.text().len()).collect();
        if lengths.is_empty() {
            continue;
        }
        let middle = (lengths.len() - 1) / 2;
        let median = *lengths.select_nth_unstable(middle).1;
        let alone = source.documents.len() == 1;
        for (index, document) in source.documents.iter().enumerate() {
            let bytes = document.text().len();
            if bytes > SHORT && (alone || bytes > median.saturating_mul(TIMES)) {
                let message = format!("the text has {bytes} bytes, the median of the file has {median}");
                let place = data.place(Located { file, index, document });
                findings.push(Finding::new(Check::HugeText, message, vec![place]));
            }
        }
    }
    findings
}
