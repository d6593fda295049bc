//! Q002: tags that their scheme does not write.

use super::{Check, Data, Finding, Place, Rule, Severity};
use crate::Listed;

pub(super) const RULE: Rule = Rule {
    code: "Q002",
    name: "repaired-tags",
    severity: Severity::Warning,
    what: "A tag that the file's scheme would have written differently, such as I-PER at the start of an entity in \
           IOB2. The reader understands it by the rules of conlleval and says how.",
    why: "Another reader may understand it differently, and often an entity was cut or two were joined by mistake.",
    fix: "Look whether the entity begins where it should; writing the file again writes what was understood.",
    command: Some("nomen check FILE --fix --out FIXED"),
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in data.files.iter().enumerate() {
        let repairs = &source.report.repairs;
        for repair in &repairs.first {
            let message = format!("{} taken as {}", repair.found, repair.taken_as);
            findings.push(Finding::new(Check::RepairedTags, message, vec![at(data, file, repair.line)]));
        }
        if repairs.total > repairs.first.len() {
            let more = repairs.total - Listed::<()>::KEPT;
            findings.push(Finding::new(
                Check::RepairedTags,
                format!("{more} more tags were repaired"),
                vec![Place::file(file)],
            ));
        }
    }
    findings
}

/// The token on this line.
fn at(data: &Data<'_>, file: usize, line: usize) -> Place {
    let source = &data.files[file];
    let document = source.lines.partition_point(|lines| lines.first().is_none_or(|first| *first <= line));
    let found = document.checked_sub(1).and_then(|document| {
        let token = source.lines[document].iter().position(|of_token| *of_token == line)?;
        let span = *source.documents[document].tokens()?.get(token)?;
        Some((document, span))
    });
    match found {
        Some((document, span)) => Place { document: Some(document), span: Some(span), ..Place::line(file, line) },
        None => Place::line(file, line),
    }
}
