//! A bundle at work.

use schema::{Entity, Recognize, RecognizeError};

use super::Bundle;
use crate::{
    JudgedPiece,
    codec::Input,
    recognize::{RecognitionError, Workers},
    text::EncodedText,
};

impl Bundle {
    /// A recognizer that shares this bundle's model and keeps threads of its own.
    pub fn into_recognizer(self, workers: Workers) -> Recognizer {
        Recognizer { bundle: self, workers }
    }
}

/// A bundle ready to judge texts.
pub struct Recognizer {
    bundle: Bundle,
    workers: Workers,
}

impl Recognizer {
    /// The bundle.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The entities of texts or documents, in order.
    ///
    /// # Errors
    /// The tokenizer fails on a text, or the model's output is not finite.
    pub fn inputs(&self, inputs: &[Input<'_>]) -> Result<Vec<Vec<Entity>>, RecognitionError> {
        self.workers.recognize(&self.bundle.classifier, &self.bundle.codec, inputs)
    }

    /// The entities of texts that this bundle's codec has encoded, in order: those that [`Recognizer::inputs`] finds.
    ///
    /// # Errors
    /// The model's output is not finite.
    pub fn encoded(&self, texts: &[&EncodedText]) -> Result<Vec<Vec<Entity>>, RecognitionError> {
        self.workers.entities(&self.bundle.classifier, &self.bundle.codec, texts)
    }

    /// Looks whether the model still says of a few texts what it said when it was saved. A model of transformers' has no such
    /// texts and passes.
    ///
    /// # Errors
    /// It does not, or it fails on them; in words for whoever wanted to use it.
    pub fn check_itself(&self) -> Result<(), String> {
        self.bundle.manifest.self_test.as_ref().map_or(Ok(()), |test| test.check(&self.bundle, &self.workers))
    }

    /// What the model says of every piece of each text, as [`Workers::pieces`].
    ///
    /// # Errors
    /// The tokenizer fails on a text, or the model's output is not finite.
    pub fn pieces(&self, texts: &[&str]) -> Result<Vec<Vec<JudgedPiece>>, RecognitionError> {
        self.workers.pieces(&self.bundle.classifier, &self.bundle.codec, texts)
    }
}

impl Recognize for Recognizer {
    fn recognize(&self, texts: &[&str]) -> Result<Vec<Vec<Entity>>, RecognizeError> {
        let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input::from(*text)).collect();
        self.inputs(&inputs).map_err(|error| RecognizeError::new(error.to_string(), error))
    }
}
