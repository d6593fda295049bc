//! What a model says of every piece of a text.

use crate::{
    Codec, RecognitionError, TokenClassifier, Workers,
    decode::DecodeError,
    text::{ListedPiece, ListedText, Window},
};

/// A piece and what the model says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedPiece {
    /// The piece, as transformers' pipeline sees it.
    pub piece: ListedPiece,
    /// Softmax probability of every tag, in the order of the tag set.
    pub probabilities: Vec<f32>,
}

impl Workers {
    /// What the model says of every piece of each text, in reading order; special tokens are left out. Where windows share a
    /// piece, the one speaks in which it has most context.
    ///
    /// # Errors
    /// The tokenizer fails on a text, or the model's output is not finite.
    pub fn pieces(
        &self,
        classifier: &TokenClassifier,
        codec: &Codec,
        texts: &[&str],
    ) -> Result<Vec<Vec<JudgedPiece>>, RecognitionError> {
        let list = |index: usize| codec.list(texts[index]).map_err(|error| RecognitionError::Tokenize { index, error });
        let listed: Vec<ListedText> =
            self.share(texts.len(), || (), |(), index| list(index)).into_iter().collect::<Result<_, _>>()?;
        let windows: Vec<&[Window]> = listed.iter().map(|text| text.windows.as_slice()).collect();
        let logits = self.decided(classifier, codec, &windows);
        let tags = codec.tag_set().len();
        let judge = |(index, (text, logits)): (usize, (ListedText, Vec<f32>))| {
            judged(text, &logits, tags).map_err(|error| RecognitionError::Decode { index, error })
        };
        listed.into_iter().zip(logits).enumerate().map(judge).collect()
    }
}

/// Pieces with their rows of `logits [pieces, tags]`, made probabilities.
fn judged(text: ListedText, logits: &[f32], tags: usize) -> Result<Vec<JudgedPiece>, DecodeError> {
    if logits.len() != text.pieces.len() * tags {
        return Err(DecodeError::Shape { logits: logits.len(), slots: text.pieces.len(), tags });
    }
    if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
        return Err(DecodeError::NotFinite { slot: at / tags, tag: at % tags, value: logits[at] });
    }
    let judge = |(piece, row): (ListedPiece, &[f32])| JudgedPiece { piece, probabilities: softmax(row) };
    Ok(text.pieces.into_iter().zip(logits.chunks_exact(tags)).map(judge).collect())
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.iter().map(|share| share / sum).collect()
}
