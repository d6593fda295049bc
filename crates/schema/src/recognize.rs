//! The one contract between whoever finds entities and whoever asks for them.

use thiserror::Error;

use crate::Entity;

/// Finds entities in texts: a model, a rule, a remote service, a fake in a test.
pub trait Recognize: Send + Sync {
    /// One list a text, sorted by start, without overlaps; spans index that text's bytes.
    ///
    /// # Errors
    /// The recognizer could not judge the texts. Then there is no partial answer.
    fn recognize(&self, texts: &[&str]) -> Result<Vec<Vec<Entity>>, RecognizeError>;
}

/// Why a recognizer gave no answer.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct RecognizeError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl RecognizeError {
    /// An error that says what failed and why.
    pub fn new(message: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }
}
