//! What the server asks of a model.

use std::{any::Any, ops::Range};

use schema::{Entity, RecognizeError};

/// A model as the server sees it.
pub trait Tagger: Send + Sync {
    /// Cuts a text into pieces.
    ///
    /// # Errors
    /// The text cannot be cut.
    fn encode(&self, text: &str) -> Result<Encoded, RecognizeError>;

    /// The entities of each text, sorted by start, without overlaps; spans index that text's bytes. What is found in a text does
    /// not depend on the others.
    ///
    /// # Errors
    /// The model fails; then there is no partial answer.
    fn entities(&self, texts: &[&Encoded]) -> Result<Vec<Vec<Entity>>, RecognizeError>;

    /// What the model says of every piece of each text, in reading order: the raw material of the aggregation strategies.
    ///
    /// # Errors
    /// As for [`Self::entities`].
    fn pieces(&self, texts: &[&Encoded]) -> Result<Vec<Vec<Piece>>, RecognizeError>;

    /// The tags in the order of [`Piece::probabilities`], such as `O`, `B-PER`, `I-PER`.
    fn tags(&self) -> &[String];

    /// Writes pieces as text again, as the model's tokenizer does (`convert_tokens_to_string` of transformers).
    fn words(&self, tokens: &[&str]) -> String;
}

/// A text in pieces, as its model made it.
pub struct Encoded {
    /// Word pieces, those that windows share counted as often as they are computed.
    pub pieces: usize,
    /// Windows.
    pub windows: usize,
    of_model: Box<dyn Any + Send + Sync>,
}

/// A piece of a text and what the model says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Its bytes of the text, on character boundaries. It may be empty, as offsets of tokenizers may be.
    pub range: Range<usize>,
    /// The token as the vocabulary writes it, such as `##ing`; what it covers where the vocabulary does not know it.
    pub token: String,
    /// Position among the pieces of its window, special tokens counted: the `index` of transformers.
    pub index: usize,
    /// Whether it goes on with the word of the piece before it, as transformers' pipeline decides it.
    pub continues: bool,
    /// A probability a tag, in the order of [`Tagger::tags`].
    pub probabilities: Vec<f32>,
}

impl Encoded {
    /// A text of so many pieces in so many windows, and what the model keeps of it.
    pub fn new(pieces: usize, windows: usize, of_model: impl Any + Send + Sync) -> Self {
        Self { pieces, windows, of_model: Box::new(of_model) }
    }

    /// What the model keeps of the text; `None` where another model made it.
    pub fn of_model<T: Any>(&self) -> Option<&T> {
        self.of_model.downcast_ref()
    }
}
