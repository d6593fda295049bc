//! The section `[augment]` of a run: changed copies of the training texts, and whether they help.

use std::path::PathBuf;

use corpus::augment::{Augmentation, Augmented, Lexicon, LexiconError, Rates, Summary, Thesaurus, augment};
use schema::{Document, Schema};
use serde::{Deserialize, Serialize};

/// How training texts are augmented. Names are those of `run.toml`; rates are probabilities. What is `None` is chosen by
/// [`crate::plan`]; in the settings of a run that means no copies, no such replacement, no comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Changed copies of every training text; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// Of a mention to be replaced by another one of its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions: Option<f64>,
    /// File of further mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentions_file: Option<PathBuf>,
    /// Of a word to be replaced by one that stands in the same context elsewhere.
    pub context: f64,
    /// Of a word to be replaced by a synonym.
    pub synonyms: f64,
    /// File of the synonyms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synonyms_file: Option<PathBuf>,
    /// Of an entity, or the words between two, to be shuffled.
    pub shuffle: f64,
    /// Of a word to be mistyped.
    pub typos: f64,
    /// Of a text to be in another case.
    pub casing: f64,
    /// Of a text to get another one behind it.
    pub join: f64,
    /// Train without the copies first, as a measure. Does not change the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<bool>,
}

impl Augment {
    /// The copies of these training texts; `seed` is the run's.
    ///
    /// # Errors
    /// A file cannot be read or has a wrong line, or names a label that the schema does not have.
    pub fn copies_of(
        &self,
        documents: &[Document],
        schema: &Schema,
        seed: u64,
    ) -> Result<Vec<Augmented>, LexiconError> {
        let copies = self.copies.unwrap_or(0);
        if copies == 0 {
            return Ok(Vec::new());
        }
        let lexicon = self.mentions_file.as_deref().map(Lexicon::read).transpose()?.unwrap_or_default();
        lexicon.check(schema)?;
        let thesaurus = self.synonyms_file.as_deref().map(Thesaurus::read).transpose()?.unwrap_or_default();
        let rates = Rates {
            join: self.join,
            mentions: self.mentions.unwrap_or(0.0),
            context: self.context,
            synonyms: self.synonyms,
            shuffle: self.shuffle,
            typos: self.typos,
            casing: self.casing,
        };
        Ok(augment(documents, &Augmentation { copies, rates, seed, lexicon, thesaurus }))
    }

    /// Whether a method beside the replacement of mentions is asked for.
    pub(crate) fn has_other_methods(&self) -> bool {
        [self.context, self.synonyms, self.shuffle, self.typos, self.casing, self.join].iter().any(|rate| *rate > 0.0)
    }

    /// What does not go together.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let no_mentions = self.mentions.is_some_and(|rate| rate <= 0.0);
        if self.copies.is_some_and(|copies| copies > 0) && no_mentions && !self.has_other_methods() {
            Some("`augment.copies` asks for copies, but no rate of `[augment]` is above 0; set one, or copies to 0")
        } else if self.synonyms > 0.0 && self.synonyms_file.is_none() {
            Some("`augment.synonyms` needs a file of synonyms: set augment.synonyms_file, or the rate to 0")
        } else {
            None
        }
    }
}

/// What augmenting came to in a run, for its report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Augmentations {
    /// What was made.
    #[serde(flatten)]
    pub summary: Summary,
    /// What it brought on the dev set, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_dev: Option<evaluate::Change>,
}
