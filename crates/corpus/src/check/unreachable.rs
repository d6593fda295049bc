//! Q025: entities that the tokens of a model cannot express.

use super::{Check, Data, Finding, Rule, Severity, data::Located};

pub(super) const RULE: Rule = Rule {
    code: "Q025",
    name: "unreachable",
    severity: Severity::Warning,
    what: "An entity that starts or ends where no word of the chosen base (`--base`) or model (`--model`) does, that \
           shares a word with another, or whose label the model does not know.",
    why: "No model of this kind can find it exactly, so it counts as missed however good the model is.",
    fix: "Move the entity's edges to the edges of words, or train with alignment = \"piece\".",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in data.files.iter().enumerate() {
        for unreachable in &source.unreachable {
            let index = unreachable.document;
            let Some(document) = source.documents.get(index) else { continue };
            let Some(entity) = document.entities().get(unreachable.entity) else { continue };
            let quote = entity.span.quote(document.text());
            let message = format!("{quote:?} {}: {}", entity.label, unreachable.reason);
            let place = data.mention(Located { file, index, document }, entity);
            findings.push(Finding::new(Check::Unreachable, message, vec![place]));
        }
    }
    findings
}
