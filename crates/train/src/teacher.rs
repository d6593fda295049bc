//! A model that was trained before, as the teacher of what it knows.
//!
//! Where a text was searched for new labels only, an older model says what the old labels are: its probabilities become the target
//! (Hinton, Vinyals and Dean, 2015, "Distilling the Knowledge in a Neural Network"; for entities and growing label sets Monaikul
//! et al., 2021, "Continual Learning for Named Entity Recognition").

use std::sync::Arc;

use model::{Bundle, Codec, Workers, text::EncodedText};

use crate::{RowTarget, Taught};

/// An older model beside the one that learns from it. Both cut texts in the same way.
pub struct Teacher<'b> {
    bundle: &'b Bundle,
    workers: &'b Workers,
    /// For each of its tags the pupil's, `None` where the pupil no longer has it.
    tags: Vec<Option<u32>>,
    /// The pupil's tags that it does not know.
    unknown: Vec<u32>,
    pupil_tags: usize,
    pupil_outside: u32,
    temperature: f32,
}

impl<'b> Teacher<'b> {
    /// A teacher of a pupil's tags; `tag(name)` is the pupil's tag for one of the teacher's.
    ///
    /// Above a temperature of 1 the teacher's second thoughts weigh more.
    pub fn new(
        bundle: &'b Bundle,
        workers: &'b Workers,
        pupil: &Codec,
        tag: impl Fn(&str) -> Option<u32>,
        temperature: f32,
    ) -> Self {
        let tags: Vec<Option<u32>> = bundle.codec.tag_set().names().iter().map(|name| tag(name)).collect();
        let (pupil_tags, pupil_outside) = (pupil.tag_set().len(), pupil.tag_set().outside());
        let is_unknown = |known: &u32| *known != pupil_outside && !tags.contains(&Some(*known));
        let unknown = (0..pupil_tags as u32).filter(is_unknown).collect();
        Self { bundle, workers, tags, unknown, pupil_tags, pupil_outside, temperature }
    }

    /// What it says of texts: of each the decided slots, in the order of [`EncodedText::decided`].
    pub(crate) fn judge(&self, texts: &[EncodedText]) -> Vec<Vec<Taught>> {
        let width = self.tags.len();
        let logits = self.workers.logits(&self.bundle.classifier, &self.bundle.codec, texts);
        logits.iter().map(|logits| logits.chunks_exact(width).map(|row| self.taught(row)).collect()).collect()
    }

    /// Tags that the pupil does not have are outside for it.
    fn taught(&self, logits: &[f32]) -> Taught {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut probabilities = vec![0.0; self.pupil_tags];
        for (logit, tag) in logits.iter().zip(&self.tags) {
            probabilities[tag.unwrap_or(self.pupil_outside) as usize] += ((logit - max) / self.temperature).exp();
        }
        let sum: f32 = probabilities.iter().sum();
        for probability in &mut probabilities {
            *probability /= sum;
        }
        Taught { probabilities: probabilities.into(), temperature: self.temperature }
    }
}

impl Teacher<'_> {
    /// What a row should be that is one of these tags, which ascend, by what the teacher says of it.
    ///
    /// What the teacher takes for outside may be of a label that it does not know: where one is possible, such a row is only
    /// known to be none of the teacher's labels (compare Cermelli et al., 2020, "Modeling the Background for Incremental Learning").
    pub(crate) fn target(&self, taught: &Taught, among: &[u32]) -> RowTarget {
        let taught = taught.among(among, self.pupil_outside);
        let mut open: Vec<u32> = self.unknown.iter().copied().filter(|tag| among.binary_search(tag).is_ok()).collect();
        if open.is_empty() || taught.probabilities[self.pupil_outside as usize] < 0.5 {
            return RowTarget::Like(taught);
        }
        open.push(self.pupil_outside);
        open.sort_unstable();
        RowTarget::Among(open.into())
    }
}

impl Taught {
    /// The same where the tag is known to be one of these, which ascend: what it says of others goes to `outside`, for those were
    /// looked for and not found.
    fn among(&self, tags: &[u32], outside: u32) -> Self {
        let mut probabilities = vec![0.0; self.probabilities.len()];
        for (tag, probability) in (0..).zip(self.probabilities.iter()) {
            let tag = if tags.binary_search(&tag).is_ok() { tag } else { outside };
            probabilities[tag as usize] += probability;
        }
        Self { probabilities: Arc::from(probabilities), temperature: self.temperature }
    }
}
