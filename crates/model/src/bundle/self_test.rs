//! What a model said of a few texts when it was saved, so that whoever opens it knows that it still says so.

use engine::Precision;
use serde::{Deserialize, Serialize};

use super::Bundle;
use crate::{JudgedPiece, RecognitionError, Workers};

/// Sentences from several fields; none of them is anybody's data.
const TEXTS: [&str; 8] = [
    "Anna Berg moved from Aarhus to Rome in 2019 and joined Acme Research as its first engineer.",
    "The patient was given 40 mg of atorvastatin daily for familial hypercholesterolemia.",
    "Under Article 6 of the Convention, the court in Strasbourg heard Smith v. United Kingdom.",
    "A flaw in the parser of the Apache web server lets attackers run code on Ubuntu 22.04.",
    "We fine-tune a transformer in Python with PyTorch and report the F1 score on CoNLL-2003.",
    "Shares of Northwind Energy fell 4.5 % in Tokyo after the bank lowered its forecast.",
    "book me a table for two at Café Noir tomorrow at 8pm, and play some jazz",
    "«Übermorgen fährt der Zug nach Zürich», 東京タワー — 🙂",
];
/// Of all pieces, at least so many have to get the tag that they had, in 32 and in 8 bits. Where two tags are about as probable,
/// another processor's rounding may prefer the other one.
const LEAST: (f64, f64) = (0.95, 0.80);
/// What the mean probability of the preferred tags may differ, in 32 and in 8 bits.
const MOST: (f64, f64) = (0.02, 0.10);

/// What a model said of a few texts when it was saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// The texts.
    texts: Vec<String>,
    /// The most probable tag of each of its pieces, by its number.
    tags: Vec<Vec<u32>>,
    /// Mean probability of these tags.
    probability: f64,
}

impl SelfTest {
    /// What a model says now; `None` where it says nothing that is a number.
    pub(super) fn of(bundle: &Bundle) -> Option<Self> {
        let workers = Workers::new(std::num::NonZeroUsize::MIN);
        let pieces = workers.pieces(&bundle.classifier, &bundle.codec, &TEXTS).ok()?;
        let (tags, probability) = preferred(&pieces);
        Some(Self { texts: TEXTS.map(str::to_owned).to_vec(), tags, probability: (probability * 1e4).round() / 1e4 })
    }

    /// Looks whether a model still says what it said when it was saved.
    ///
    /// # Errors
    /// It does not; in words for whoever wanted to use it.
    pub(super) fn check(&self, bundle: &Bundle, workers: &Workers) -> Result<(), String> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let failed = |error: RecognitionError| format!("the model fails on its own test texts: {error}");
        let pieces = workers.pieces(&bundle.classifier, &bundle.codec, &texts).map_err(failed)?;
        let (tags, probability) = preferred(&pieces);
        let lengths = |tags: &[Vec<u32>]| tags.iter().map(Vec::len).collect::<Vec<_>>();
        if lengths(&tags) != lengths(&self.tags) {
            return Err(
                "the tokenizer cuts the model's test texts otherwise than when it was saved; copy the bundle anew"
                    .to_owned(),
            );
        }
        let is_f32 = workers.precision() == Precision::F32;
        let (least, most) = if is_f32 { (LEAST.0, MOST.0) } else { (LEAST.1, MOST.1) };
        let all: Vec<(u32, u32)> = self.tags.concat().into_iter().zip(tags.concat()).collect();
        let same = all.iter().filter(|(then, now)| then == now).count();
        let share = same as f64 / all.len().max(1) as f64;
        let moved = (probability - self.probability).abs();
        if share < least || moved > most {
            return Err(format!(
                "of {} pieces of its test texts {same} get the tag that they got when the model was saved, and the mean \
                 probability is {probability:.3} instead of {:.3}; the weights are not those that were saved",
                all.len(),
                self.probability
            ));
        }
        Ok(())
    }
}

/// The most probable tag of each piece, and the mean of these probabilities.
fn preferred(texts: &[Vec<JudgedPiece>]) -> (Vec<Vec<u32>>, f64) {
    let best = |piece: &JudgedPiece| {
        let numbered = (0..).zip(&piece.probabilities);
        numbered.fold((0, 0.0), |best: (u32, f32), (tag, p)| if *p > best.1 { (tag, *p) } else { best })
    };
    let all: Vec<Vec<(u32, f32)>> = texts.iter().map(|pieces| pieces.iter().map(best).collect()).collect();
    let count = all.iter().map(Vec::len).sum::<usize>().max(1);
    let sum: f64 = all.iter().flatten().map(|(_, probability)| f64::from(*probability)).sum();
    let tags = all.iter().map(|text| text.iter().map(|(tag, _)| *tag).collect()).collect();
    (tags, sum / count as f64)
}
