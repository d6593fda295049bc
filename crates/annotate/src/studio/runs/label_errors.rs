//! Where the model of a run contradicts the annotation of its dev set.

use std::{fs, path::Path};

use corpus::{
    Format,
    check::{self, Check, Data, File, Suspect},
};
use schema::{Document, Entity};
use store::Finding;

use super::data;
use crate::studio::{Refusal, api::quality::of_documents};

/// The code of `nomen check` marks those as warnings in which the model is at least so sure.
const LIKELY: f64 = 0.95;

/// Likely label errors of a run's dev set, the one of which the model is surest first; `None` before its model was tried.
///
/// The dev set chooses the model and does not train it, so it contradicts errors there instead of having learned them. What the model
/// leaves out has no score, so an entity is listed only where the model puts another in its place, or finds one where none is.
///
/// # Errors
/// The run's files are not what it left there.
pub fn label_errors(folder: &Path) -> Result<Option<Vec<Finding>>, Refusal> {
    if fs::metadata(folder.join("predictions.jsonl")).map_or(true, |file| file.len() == 0) {
        return Ok(None);
    }
    let numbers = data::numbers(folder, "dev")?;
    let found = data::read(folder, "predictions")?;
    let failed = |error: &dyn std::fmt::Display| Refusal::Failed(format!("{}: {error}", folder.display()));
    let reader = corpus::open(folder.join("dev.jsonl"), Some(Format::Jsonl)).map_err(|error| failed(&error))?;
    let mut file = File::read(reader, None);
    if file.documents.len() != numbers.len() || found.len() != numbers.len() {
        // The model is being tried right now.
        return Ok(None);
    }
    file.suspects = file.documents.iter().zip(&found).enumerate().flat_map(contradicted).collect();
    let files = [file];
    let findings = check::check(&Data { files: &files, schema: None }, &[Check::LabelError]);
    Ok(Some(of_documents(&findings, &numbers)))
}

/// What the model says of a document that the annotation does not.
fn contradicted((document, (gold, found)): (usize, (&Document, &Document))) -> Vec<Suspect> {
    let gold = gold.entities();
    let is_new = |entity: &&Entity| !gold.iter().any(|given| given.same_mention(entity));
    let scored = found.entities().iter().filter(is_new).filter_map(|entity| Some((entity, f64::from(entity.score?))));
    scored
        .map(|(entity, confidence)| Suspect {
            document,
            given: (0..gold.len()).filter(|given| gold[*given].span.overlaps(entity.span)).collect(),
            suggested: vec![entity.clone()],
            confidence,
            is_likely: confidence >= LIKELY,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use schema::{Label, Span};

    use super::*;

    fn entity(start: usize, end: usize, label: &str, score: Option<f32>) -> Entity {
        Entity { score, ..Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap()) }
    }

    #[test]
    fn a_model_contradicts_by_what_it_finds_and_is_sure_of() {
        let text = "Anna saw Rome and Oslo";
        let of = |entities| Document::new(text).with_entities(entities).unwrap();
        let gold = of(vec![entity(0, 4, "PER", None), entity(9, 13, "PER", None)]);
        let found = of(vec![
            entity(0, 4, "PER", Some(0.9)),
            entity(9, 13, "LOC", Some(0.8)),
            entity(18, 22, "LOC", Some(0.96)),
        ]);
        let suspects = contradicted((3, (&gold, &found)));
        let told: Vec<_> = suspects.iter().map(|one| (one.document, &*one.given, one.is_likely)).collect();
        assert_eq!(told, [(3, &[1][..], false), (3, &[], true)]);
    }
}
