//! The errors of a run's best model that are worth reading, in their text.

use std::{fs, path::Path};

use evaluate::{ErrorCase, Errors, Judged, Pair};
use schema::Document;
use store::Number;

use super::data;
use crate::studio::Refusal;

/// Errors that are listed of each kind.
const LISTED: usize = 20;
/// Characters shown on either side.
const CONTEXT: usize = 60;

/// What a run's best model got wrong on the dev set.
#[derive(Debug, Default)]
pub struct Worst {
    /// The errors: in which document of the project, and what is wrong there.
    pub cases: Vec<(Number, ErrorCase)>,
    /// All errors.
    pub total: usize,
}

/// The worst errors of a run, once its model has been tried; `None` before.
///
/// # Errors
/// The run's files are not what it left there.
pub fn worst(folder: &Path) -> Result<Option<Worst>, Refusal> {
    if fs::metadata(folder.join("predictions.jsonl")).map_or(true, |file| file.len() == 0) {
        return Ok(None);
    }
    let numbers = data::numbers(folder, "dev")?;
    let (gold, found) = (data::read(folder, "dev")?, data::read(folder, "predictions")?);
    if gold.len() != numbers.len() || gold.len() != found.len() {
        // The model is being tried right now.
        return Ok(None);
    }
    let documents: Vec<&Document> = gold.iter().collect();
    let judged: Vec<Judged<'_>> = gold
        .iter()
        .zip(&found)
        .map(|(document, found)| Pair { document, predicted: found.entities() }.judge(None))
        .collect();
    let errors = Errors::of(&documents, &judged, LISTED, CONTEXT);
    let total = errors.counts.values().sum();
    let cases = errors.worst.into_iter().map(|case| (numbers[case.document], case)).collect();
    Ok(Some(Worst { cases, total }))
}
