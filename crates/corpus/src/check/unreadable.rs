//! Q001: places that the reader refuses.

use super::{Check, Data, Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "Q001",
    name: "unreadable",
    severity: Severity::Error,
    what: "A place that cannot be read: broken JSON, a row with another number of columns, a tag that no scheme has, \
           offsets outside the text, entities that overlap, a token that is empty. The message is the reader's.",
    why: "Nomen never reads a part of a file in silence, so no other command takes the file before this is mended.",
    fix: "Correct the line that is named.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let of_file = |(file, source): (usize, &super::File)| {
        let finding = move |error: &crate::ReadError| {
            Finding::new(Check::Unreadable, error.kind.to_string(), vec![Place::line(file, error.line)])
        };
        source.errors.iter().map(finding).collect::<Vec<_>>()
    };
    data.files.iter().enumerate().flat_map(of_file).collect()
}
