//! Q026: places where a model that has not learned from them contradicts the annotation.

use schema::{Document, Entity};

use super::{Check, Data, Finding, Rule, Severity, Suggestion, SuspectKind, data::Located, suspect::Suspect};

pub(super) const RULE: Rule = Rule {
    code: "Q026",
    name: "label-error",
    severity: Severity::Warning,
    what: "A place where a model contradicts the annotation (`--model`): another label, other edges, an entity that is not \
           labelled, or a labelled one that is none. With a base, models are trained on all folds but one and judge that one \
           (`--folds`); a trained model judges the texts that it was not trained on. The places are ranked by how much \
           more the model believes in its own entities than in those given. What it suggests is measured by how sure it is of \
           each tag where that is given (confident learning: Northcutt, Jiang and Chuang, 2021, doi:10.1613/jair.1.12125; for \
           tokens: Wang and Mueller, 2022, arXiv:2210.03920). A warning where it is at least as sure as that and the \
           confidence is 0.95 or more, else a note.",
    why: "A wrong annotation teaches the wrong thing, and in a test set it makes a good model look bad.",
    fix: "Read them from the first on and correct those that are wrong, until few of them are; the model errs, too.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut suspects: Vec<(Located<'_>, &Suspect)> = Vec::new();
    for (file, source) in data.files.iter().enumerate() {
        for suspect in &source.suspects {
            let index = suspect.document;
            let Some(document) = source.documents.get(index) else { continue };
            suspects.push((Located { file, index, document }, suspect));
        }
    }
    suspects.sort_by(|(_, a), (_, b)| b.confidence.total_cmp(&a.confidence));
    suspects.into_iter().filter_map(|(located, suspect)| finding(data, located, suspect)).collect()
}

fn finding(data: &Data<'_>, located: Located<'_>, suspect: &Suspect) -> Option<Finding> {
    let document = located.document;
    let given: Vec<&Entity> = suspect.given.iter().filter_map(|entity| document.entities().get(*entity)).collect();
    let mut places: Vec<_> = given.iter().map(|entity| data.mention(located, entity)).collect();
    if places.is_empty() {
        places.extend(suspect.suggested.iter().map(|entity| data.part(located, entity.span)));
    }
    if places.is_empty() {
        return None;
    }
    let kind = SuspectKind::of(&given, &suspect.suggested);
    let suggested: Vec<&Entity> = suspect.suggested.iter().collect();
    let (is, may) = (quoted(document, &given), quoted(document, &suggested));
    let doubt = match kind {
        SuspectKind::WrongLabel | SuspectKind::WrongBoundary => format!("{is} may be {may}"),
        SuspectKind::Missed => format!("{may} may be missed"),
        SuspectKind::Spurious => format!("{is} may be no entity"),
    };
    let message = format!("{doubt} ({}, confidence {:.2})", kind.name(), suspect.confidence);
    let found = Finding::new(Check::LabelError, message, places);
    let found = if suspect.is_likely { found } else { found.with_severity(Severity::Note) };
    let entities = suspect.suggested.clone();
    Some(found.with_suggestion(Suggestion { kind, confidence: suspect.confidence, entities }))
}

/// `"Rome" CITY and "Anna" PERSON`.
fn quoted(document: &Document, entities: &[&Entity]) -> String {
    let each = |entity: &&Entity| format!("{:?} {}", entity.span.quote(document.text()), entity.label);
    entities.iter().map(each).collect::<Vec<_>>().join(" and ")
}
