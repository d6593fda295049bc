//! What a recognizer finds, as suggestions.

use schema::{Recognize, RecognizeError};

use super::{Origin, Suggestion};

/// One list a text of what a model (or anything else that finds entities) finds in it.
///
/// # Errors
/// The recognizer could not judge the texts.
pub fn recognized(
    recognizer: &dyn Recognize,
    texts: &[&str],
    origin: &Origin,
) -> Result<Vec<Vec<Suggestion>>, RecognizeError> {
    let found = recognizer.recognize(texts)?;
    let suggestions = found.into_iter().zip(texts).map(|(entities, text)| {
        let suggestion =
            |entity: schema::Entity| Suggestion::exact(text, entity.span, entity.label, entity.score, origin.clone());
        entities.into_iter().map(suggestion).collect()
    });
    Ok(suggestions.collect())
}
