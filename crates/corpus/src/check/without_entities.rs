//! Q021: files in which texts have no entities.

use super::{Check, Data, Finding, Place, Rule, Severity};

/// Share of texts without an entity from which it is worth a note.
const MOST: f64 = 0.9;

pub(super) const RULE: Rule = Rule {
    code: "Q021",
    name: "without-entities",
    severity: Severity::Warning,
    what: "A file whose annotated texts have no entity at all (a warning), or of which at least 90 % have none (a \
           note). Texts that nobody annotated do not count.",
    why: "Nothing can be learned or measured without entities. Where they are very rare, a model learns to find \
           nothing, and training takes long for little.",
    fix: "Look whether the file was read as what it is; leave out a part of the texts without entities.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in data.files.iter().enumerate() {
        let annotated = source.documents.iter().filter(|document| !document.partial || !document.entities().is_empty());
        let (mut texts, mut without) = (0usize, 0usize);
        for document in annotated {
            texts += 1;
            without += usize::from(document.entities().is_empty());
        }
        if texts == 0 || (without as f64) < MOST * texts as f64 {
            continue;
        }
        let (severity, message) = if without == texts {
            (Severity::Warning, format!("none of the {texts} annotated texts has an entity"))
        } else {
            let percent = 100.0 * without as f64 / texts as f64;
            (Severity::Note, format!("{without} of {texts} annotated texts have no entity ({percent:.1} %)"))
        };
        let finding = Finding::new(Check::WithoutEntities, message, vec![Place::file(file)]);
        findings.push(finding.with_severity(severity));
    }
    findings
}
