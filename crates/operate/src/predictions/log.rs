//! The writer of the log.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};

use schema::Entity;
use serde::Serialize;
use thiserror::Error;

use super::{Row, TextKeeping, files::Files};
use crate::{profile::Profile, registry::VersionId};

/// Predictions that may wait to be written.
const WAITING: usize = 1_024;
/// Bytes of their texts; a single longer text may still wait alone.
const WAITING_BYTES: u64 = 16 << 20;
/// Smallest bound of a log.
const LEAST_BYTES: u64 = 64 << 10;
/// After so long without a new row, what is buffered is handed to the system.
const QUIET: Duration = Duration::from_millis(250);
/// After an error nothing is tried for so long: a full disk is not asked for every row.
const PAUSE: Duration = Duration::from_secs(5);

/// How a log is written.
#[derive(Debug, Clone, PartialEq)]
pub struct LogOptions {
    /// Share of the predictions that are written, above 0 and up to 1.
    pub share: f64,
    /// Decides which ones these are.
    pub seed: u64,
    /// What is kept of the texts.
    pub texts: TextKeeping,
    /// Most bytes of all files together; at least 64 KiB. The oldest are removed.
    pub most_bytes: u64,
    /// What happens where the disk is slower than the model.
    pub when_full: WhenFull,
}

impl Default for LogOptions {
    fn default() -> Self {
        let texts = TextKeeping::default();
        Self { share: 1.0, seed: 0, texts, most_bytes: 256 << 20, when_full: WhenFull::Drop }
    }
}

/// What happens to a prediction for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is dropped and counted, so that nobody waits: for a server.
    Drop,
    /// Whoever records it waits, so that none is lost: for a batch job.
    Wait,
}

/// The model whose predictions are recorded.
#[derive(Debug, Clone)]
pub struct LoggedModel {
    /// What it is called.
    pub name: String,
    /// Its version; `None` for a model without `nomen.json`.
    pub version: Option<VersionId>,
    /// What it was made for; without it the log cannot tell which words and surfaces are new.
    pub profile: Option<Arc<Profile>>,
}

/// A text and what a model found in it.
#[derive(Debug, Clone, Copy)]
pub struct Prediction<'p> {
    /// The model.
    pub model: &'p Arc<LoggedModel>,
    /// The text.
    pub text: &'p str,
    /// What was found; spans index the text's bytes.
    pub entities: &'p [Entity],
    /// When.
    pub at: SystemTime,
}

/// What became of the predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LogCounts {
    /// All that were recorded.
    pub recorded: u64,
    /// Those that are not in the sample.
    pub left_out: u64,
    /// Those that were written.
    pub written: u64,
    /// Those for which there was no room.
    pub dropped: u64,
    /// Those that could not be written.
    pub failed: u64,
    /// Those whose text was too long to be kept beside others; of these the log has the hash.
    pub shortened: u64,
}

/// Why there is no log.
#[derive(Debug, Error)]
pub enum LogError {
    /// The share of predictions is none.
    #[error("a share of {0} of the predictions cannot be logged; give one above 0 and up to 1")]
    Share(f64),
    /// There is no room.
    #[error("{0} bytes are too few for a log; give it {LEAST_BYTES} at least")]
    TooSmall(u64),
    /// Somebody else writes it.
    #[error("{}: another process writes this log; give each a folder of its own", .0.display())]
    InUse(PathBuf),
    /// The system refuses.
    #[error("{}: the log cannot be written: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A log that is being written. Recording costs a copy of the text; the rest happens on a thread of the log's own.
pub struct PredictionLog {
    shared: Arc<Shared>,
    share: f64,
    seed: u64,
    when_full: WhenFull,
    sender: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    recorded: AtomicU64,
    left_out: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    shortened: AtomicU64,
    /// Bytes of the texts that wait.
    waiting: AtomicU64,
    problem: Mutex<Option<String>>,
}

/// A prediction on its way to the disk.
struct Waiting {
    model: Arc<LoggedModel>,
    text: String,
    entities: Vec<Entity>,
    at: SystemTime,
}

impl PredictionLog {
    /// A log in a folder, which is made where there is none. Rows of earlier writers stay, within the bound.
    ///
    /// # Errors
    /// The options are out of range, another process writes there, or the folder cannot be used.
    pub fn open(folder: &Path, options: &LogOptions) -> Result<Self, LogError> {
        if !(options.share > 0.0 && options.share <= 1.0) {
            return Err(LogError::Share(options.share));
        }
        if options.most_bytes < LEAST_BYTES {
            return Err(LogError::TooSmall(options.most_bytes));
        }
        let io = |error| LogError::Io { path: folder.to_owned(), error };
        let files = Files::open(folder, options.most_bytes).map_err(io)?;
        let files = files.ok_or_else(|| LogError::InUse(folder.to_owned()))?;
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = sync_channel(WAITING);
        let writer = Writer { files, texts: options.texts, shared: Arc::clone(&shared), failed_at: None, unflushed: 0 };
        let thread = std::thread::Builder::new().name("prediction log".to_owned()).spawn(move || writer.run(&receiver));
        let (share, seed, when_full) = (options.share, options.seed, options.when_full);
        Ok(Self { shared, share, seed, when_full, sender: Some(sender), thread: Some(thread.map_err(io)?) })
    }

    /// Hands a prediction to the log, if it is in the sample and there is room.
    pub fn record(&self, prediction: &Prediction<'_>) {
        let number = self.shared.recorded.fetch_add(1, Relaxed);
        if !is_drawn(self.seed, number, self.share) {
            self.shared.left_out.fetch_add(1, Relaxed);
            return;
        }
        let bytes = prediction.text.len() as u64;
        let before = self.shared.waiting.fetch_add(bytes, Relaxed);
        let is_too_much = before > 0 && before + bytes > WAITING_BYTES && self.when_full == WhenFull::Drop;
        let is_taken = !is_too_much && self.sender.as_ref().is_some_and(|sender| self.send(sender, prediction));
        if !is_taken {
            self.shared.waiting.fetch_sub(bytes, Relaxed);
            self.shared.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Whether the writer has taken it.
    fn send(&self, sender: &SyncSender<Waiting>, prediction: &Prediction<'_>) -> bool {
        let Prediction { model, text, entities, at } = prediction;
        let waiting =
            Waiting { model: Arc::clone(model), text: (*text).to_owned(), entities: entities.to_vec(), at: *at };
        match self.when_full {
            WhenFull::Drop => {
                !matches!(sender.try_send(waiting), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
            }
            WhenFull::Wait => sender.send(waiting).is_ok(),
        }
    }

    /// What became of the predictions so far.
    pub fn counts(&self) -> LogCounts {
        let Shared { recorded, left_out, written, dropped, failed, shortened, .. } = &*self.shared;
        let [recorded, left_out, written, dropped, failed, shortened] =
            [recorded, left_out, written, dropped, failed, shortened].map(|count| count.load(Relaxed));
        LogCounts { recorded, left_out, written, dropped, failed, shortened }
    }

    /// Why rows could not be written, the last reason.
    pub fn problem(&self) -> Option<String> {
        self.shared.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all that was taken is written, and says what became of it.
    pub fn close(mut self) -> (LogCounts, Option<String>) {
        self.end();
        (self.counts(), self.problem())
    }

    fn end(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing more to say, and its predictions are not counted as written.
            let _ = thread.join();
        }
    }
}

impl Drop for PredictionLog {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether the prediction of this number is in a sample, by the finalizer of `SplitMix64` (Steele, Lea and Flood, 2014).
fn is_drawn(seed: u64, number: u64, share: f64) -> bool {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1u64 << 53) as f64 <= share && share > 0.0
}

/// The thread's side.
struct Writer {
    files: Files,
    texts: TextKeeping,
    shared: Arc<Shared>,
    failed_at: Option<Instant>,
    /// Rows that the system does not have yet.
    unflushed: u64,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Waiting>) {
        loop {
            match receiver.recv_timeout(QUIET) {
                Ok(waiting) => {
                    self.write(&waiting);
                    self.shared.waiting.fetch_sub(waiting.text.len() as u64, Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.flush();
                    return;
                }
            }
        }
    }

    fn write(&mut self, waiting: &Waiting) {
        if self.failed_at.is_some_and(|failed| failed.elapsed() < PAUSE) {
            self.shared.failed.fetch_add(1, Relaxed);
            return;
        }
        let line = self.line(waiting);
        match self.files.append(&line) {
            Ok(()) => {
                self.failed_at = None;
                self.unflushed += 1;
                self.shared.written.fetch_add(1, Relaxed);
            }
            Err(error) => self.fail(1, &error),
        }
    }

    fn flush(&mut self) {
        match self.files.flush() {
            Ok(()) => {}
            Err(error) => {
                let lost = self.unflushed;
                self.shared.written.fetch_sub(lost, Relaxed);
                self.fail(lost, &error);
            }
        }
        self.unflushed = 0;
    }

    fn fail(&mut self, rows: u64, error: &io::Error) {
        self.shared.failed.fetch_add(rows, Relaxed);
        self.failed_at = Some(Instant::now());
        *self.shared.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    /// The row; where its text is too long to stand beside others, its hash takes the text's place.
    fn line(&self, waiting: &Waiting) -> Vec<u8> {
        let Waiting { model, text, entities, at } = waiting;
        let known = model.profile.as_ref().and_then(|profile| profile.known.as_ref());
        let row = Row {
            model: model.name.clone(),
            version: model.version.as_ref().map_or_else(String::new, |version| version.short().to_owned()),
            ..Row::of(text, entities, known).at(*at)
        };
        let line = encoded(&row.clone().keeping(text, self.texts));
        if self.texts == TextKeeping::Whole && line.len() as u64 > self.files.longest_line() {
            self.shared.shortened.fetch_add(1, Relaxed);
            return encoded(&row.keeping(text, TextKeeping::Hash));
        }
        line
    }
}

fn encoded(row: &Row) -> Vec<u8> {
    let mut line = serde_json::to_vec(row).expect("a row has text keys and finite numbers");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_share_and_the_same_seed_draws_the_same() {
        for share in [0.01, 0.3, 1.0] {
            let drawn = |seed| (0..20_000).filter(|number| is_drawn(seed, *number, share)).collect::<Vec<u64>>();
            let found = drawn(7).len() as f64 / 20_000.0;
            assert!((found - share).abs() < 0.01, "{found} of {share}");
            assert_eq!(drawn(7), drawn(7));
            assert!(share > 0.99 || drawn(7) != drawn(8));
        }
    }
}
