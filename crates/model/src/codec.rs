//! Both ends of a model: documents to windows of pieces, logits to entities.

use schema::{Document, Entity, Span};

use crate::{
    decode::{self, DecodeError, TagSet},
    text::{Alignment, EncodedText, ListedText, Targets, TokenizeError, Tokenizer, WindowError, Windowing, targets},
};

/// Tokenizer, tag set and the rules between them. Training, evaluation, command line and server all go through
/// this, so that a score that was reported is the score that is served.
pub struct Codec {
    tokenizer: Tokenizer,
    tag_set: TagSet,
    settings: CodecSettings,
    windowing: Windowing,
}

/// How texts are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodecSettings {
    /// Which pieces carry a tag.
    pub alignment: Alignment,
    /// Longest window in pieces, special tokens included.
    pub max_length: usize,
    /// Pieces that neighbouring windows share.
    pub stride: usize,
}

/// A text to recognize entities in.
#[derive(Debug, Clone, Copy)]
pub struct Input<'t> {
    /// The text.
    pub text: &'t str,
    /// Its known words, if it has any.
    pub words: Option<&'t [Span]>,
}

impl<'t> From<&'t Document> for Input<'t> {
    fn from(document: &'t Document) -> Self {
        Self { text: document.text(), words: document.tokens() }
    }
}

impl<'t> From<&'t str> for Input<'t> {
    fn from(text: &'t str) -> Self {
        Self { text, words: None }
    }
}

impl Codec {
    /// A codec of these parts.
    ///
    /// # Errors
    /// The settings leave no room for a text, or none to advance.
    pub fn new(tokenizer: Tokenizer, tag_set: TagSet, settings: CodecSettings) -> Result<Self, WindowError> {
        let windowing = tokenizer.windowing(settings.max_length, settings.stride)?;
        Ok(Self { tokenizer, tag_set, settings, windowing })
    }

    /// How texts are cut.
    pub fn settings(&self) -> CodecSettings {
        self.settings
    }

    /// The tags.
    pub fn tag_set(&self) -> &TagSet {
        &self.tag_set
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Windows and slots of a text.
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn encode(&self, input: Input<'_>) -> Result<EncodedText, TokenizeError> {
        self.tokenizer.encode(input.text, input.words, self.settings.alignment, &self.windowing)
    }

    /// Every piece of a text, in windows that decide all of them.
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn list(&self, text: &str) -> Result<ListedText, TokenizeError> {
        self.tokenizer.list(text, &self.windowing)
    }

    /// What the slots of a document should be tagged, and the gold entities that no tags can express.
    pub fn targets(&self, document: &Document, encoded: &EncodedText) -> Targets {
        targets(document, encoded, &self.tag_set)
    }

    /// The entities that the logits of the decided slots say, `logits [decided, tags]`.
    ///
    /// # Errors
    /// The logits do not fit, or one is not finite.
    pub fn decode(&self, encoded: &EncodedText, logits: &[f32]) -> Result<Vec<Entity>, DecodeError> {
        decode::recognize(&self.tag_set, encoded, logits)
    }
}
