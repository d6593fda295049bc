//! From texts to entities: windows packed into batches, batches shared out to threads.

use std::{
    borrow::Borrow,
    num::NonZeroUsize,
    ops::Range,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use engine::{Isa, Mode, Packed, Pool, Precision, Tape, Team};
use schema::Entity;
use thiserror::Error;

use crate::{
    TokenClassifier,
    codec::{Codec, Input},
    decode::DecodeError,
    text::{EncodedText, TokenizeError, Window},
};

/// Rows that a batch is filled up to. Its activations then fit the second-level cache of a core, and the products
/// are long enough to reach full speed.
const BATCH_ROWS: usize = 512;

/// Most threads that share in a batch: an operation on a sentence is then as short as their waiting for each other.
const MOST_SHARING: usize = 8;

/// Threads and their memory, kept warm between calls.
pub struct Workers {
    threads: NonZeroUsize,
    precision: Precision,
    isa: Isa,
    kept: Mutex<Vec<Kept>>,
}

/// What a batch works with, kept for the next one.
#[derive(Default)]
struct Kept {
    pool: Pool,
    /// The threads that were asked for and the team of them, from the first batch that threads share in.
    team: Option<(usize, Team)>,
}

impl Kept {
    /// The memory, and a team of so many threads where they are more than one.
    fn with_team(&mut self, threads: usize) -> (&mut Pool, Option<&mut Team>) {
        if threads > 1 && self.team.as_ref().is_none_or(|(asked, _)| *asked != threads) {
            self.team = Some((threads, Team::new(threads)));
        }
        (&mut self.pool, self.team.as_mut().filter(|_| threads > 1).map(|(_, team)| team))
    }
}

/// Why a text was not judged.
#[derive(Debug, Error)]
pub enum RecognitionError {
    /// A text could not be cut into pieces.
    #[error("text {index}: {error}")]
    Tokenize {
        /// Position of the text in the call.
        index: usize,
        /// What went wrong.
        error: TokenizeError,
    },
    /// The model's output could not be read.
    #[error("text {index}: {error}")]
    Decode {
        /// Position of the text in the call.
        index: usize,
        /// What went wrong.
        error: DecodeError,
    },
}

impl Workers {
    /// So many threads, with the widest instruction set of the processor.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads, precision: Precision::F32, isa: Isa::detect(), kept: Mutex::default() }
    }

    /// As many threads as the machine lets run at once.
    pub fn all() -> Self {
        Self::new(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    /// The same threads with another number format.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Number of threads.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Number format of the computation.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The entities of every text, in order, each list sorted by start and without overlaps.
    ///
    /// # Errors
    /// The tokenizer fails on a text, or the model's output is not finite.
    pub fn recognize(
        &self,
        classifier: &TokenClassifier,
        codec: &Codec,
        inputs: &[Input<'_>],
    ) -> Result<Vec<Vec<Entity>>, RecognitionError> {
        let encode =
            |index: usize| codec.encode(inputs[index]).map_err(|error| RecognitionError::Tokenize { index, error });
        let encoded: Vec<EncodedText> =
            self.share(inputs.len(), || (), |(), index| encode(index)).into_iter().collect::<Result<_, _>>()?;
        self.entities(classifier, codec, &encoded)
    }

    /// As [`Workers::recognize`], for texts that the codec has encoded.
    ///
    /// # Errors
    /// The model's output is not finite.
    pub fn entities<T: Borrow<EncodedText>>(
        &self,
        classifier: &TokenClassifier,
        codec: &Codec,
        texts: &[T],
    ) -> Result<Vec<Vec<Entity>>, RecognitionError> {
        let logits = self.logits(classifier, codec, texts);
        let decode = |(index, (text, logits)): (usize, (&T, Vec<f32>))| {
            codec.decode(text.borrow(), &logits).map_err(|error| RecognitionError::Decode { index, error })
        };
        texts.iter().zip(logits).enumerate().map(decode).collect()
    }

    /// The logits of every text's decided slots, `[decided, tags]` in the order of [`EncodedText::decided`]. Where there are
    /// fewer batches than threads, several share in a batch; the logits have the same bits.
    pub fn logits<T: Borrow<EncodedText>>(
        &self,
        classifier: &TokenClassifier,
        codec: &Codec,
        texts: &[T],
    ) -> Vec<Vec<f32>> {
        let windows: Vec<&[Window]> = texts.iter().map(|text| text.borrow().windows.as_slice()).collect();
        self.decided(classifier, codec, &windows)
    }

    /// The logits of the rows that the windows of every text decide.
    pub(crate) fn decided(&self, classifier: &TokenClassifier, codec: &Codec, texts: &[&[Window]]) -> Vec<Vec<f32>> {
        let tags = codec.tag_set().len();
        let windows: Vec<&Window> = texts.iter().copied().flatten().collect();
        let batches = batches(&windows, self.threads.get());
        let sharing = (self.threads.get() / batches.len().max(1)).min(MOST_SHARING);
        let judged = self.share(
            batches.len(),
            || Borrowed { workers: self, kept: self.lock().pop().unwrap_or_default() },
            |work, batch| self.judge(classifier, &windows[batches[batch].clone()], tags, work.kept.with_team(sharing)),
        );
        let mut decided = judged.into_iter().flatten();
        texts.iter().map(|windows| windows.iter().flat_map(|_| decided.next().unwrap_or_default()).collect()).collect()
    }

    /// The logits of the rows that decide, window by window.
    fn judge(
        &self,
        classifier: &TokenClassifier,
        windows: &[&Window],
        tags: usize,
        (pool, team): (&mut Pool, Option<&mut Team>),
    ) -> Vec<Vec<f32>> {
        let packed = Packed::new(windows.iter().map(|window| window.ids.len()));
        let row = |(first, window): (Range<usize>, &&Window)| {
            window.decides.iter().map(move |(row, _)| first.start as u32 + row).collect::<Vec<_>>()
        };
        let deciding: Vec<u32> = packed.sequences().zip(windows).flat_map(row).collect();
        if deciding.is_empty() {
            return vec![Vec::new(); windows.len()];
        }
        let ids: Vec<u32> = windows.iter().flat_map(|window| window.ids.iter().copied()).collect();
        let mode = Mode::Inference(self.precision);
        let mut tape = Tape::new(classifier.parameters(), pool, &packed, self.isa, mode).shared_by(team);
        let logits = classifier.forward(&mut tape, &ids, packed.positions(), Some(&deciding));
        let mut logits = tape.read(&logits);
        let of_window = |window: &&Window| {
            let (these, rest) = logits.split_at(window.decides.len() * tags);
            logits = rest;
            these.to_vec()
        };
        windows.iter().map(of_window).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `work(state, index)` for every index, on all threads; the results stand in order.
    pub(crate) fn share<S, R: Send>(
        &self,
        count: usize,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) -> R + Sync,
    ) -> Vec<R> {
        let threads = self.threads.get().min(count);
        if threads <= 1 {
            let mut state = state();
            return (0..count).map(|index| work(&mut state, index)).collect();
        }
        let next = AtomicUsize::new(0);
        let run = || {
            let mut state = state();
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return done;
                }
                done.push((index, work(&mut state, index)));
            }
        };
        let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            handles
                .into_iter()
                .flat_map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

/// What a thread works with, given back when it is done.
struct Borrowed<'w> {
    workers: &'w Workers,
    kept: Kept,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.workers.lock().push(std::mem::take(&mut self.kept));
    }
}

/// Windows in their order, cut into batches of at most about [`BATCH_ROWS`] rows. There are as many for every thread, and
/// all have about as many rows, so that no thread waits for another.
fn batches(windows: &[&Window], threads: usize) -> Vec<Range<usize>> {
    let rows: usize = windows.iter().map(|window| window.ids.len()).sum();
    let count = rows.div_ceil(BATCH_ROWS * threads) * threads;
    let mut batches = Vec::with_capacity(count);
    let (mut start, mut filled) = (0, 0);
    for (index, window) in windows.iter().enumerate() {
        // The row at which this batch should end; a window goes to the side on which most of it lies.
        let end = (batches.len() + 1) * rows / count;
        if index > start && filled + window.ids.len() / 2 >= end {
            batches.push(start..index);
            start = index;
        }
        filled += window.ids.len();
    }
    if start < windows.len() {
        batches.push(start..windows.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(lengths: &[usize]) -> Vec<Window> {
        lengths.iter().map(|length| Window { ids: vec![0; *length], decides: Vec::new() }).collect()
    }

    #[test]
    fn batches_are_whole_in_order_and_even() {
        for (lengths, threads) in [
            (vec![30; 37], 2),
            (vec![5, 9, 200, 14, 3, 3, 40, 17], 2),
            ((1..60).collect(), 3),
            (vec![500; 9], 4),
            (vec![7], 8),
        ] {
            let windows = windows(&lengths);
            let windows: Vec<&Window> = windows.iter().collect();
            let batches = batches(&windows, threads);
            assert_eq!(batches.iter().cloned().flatten().collect::<Vec<_>>(), (0..lengths.len()).collect::<Vec<_>>());
            let rows: usize = lengths.iter().sum();
            let longest = *lengths.iter().max().unwrap();
            let even = rows.div_ceil(rows.div_ceil(BATCH_ROWS * threads) * threads);
            for batch in batches {
                let rows: usize = lengths[batch.clone()].iter().sum();
                assert!(rows <= even + longest, "{rows} rows in {batch:?} of {lengths:?}");
            }
        }
        assert!(batches(&[], 2).is_empty());
    }
}
