//! Texts on their way to a model: a queue bounded in word pieces, emptied in batches that are filled across requests.
//!
//! A text holds a permit for its pieces from before it waits until it is answered, so memory is bounded whatever comes. A thread of its own takes
//! texts of one model in their order of arrival up to a budget of pieces, and leaves out those whose clients have left or whose time is over.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use schema::{Entity, RecognizeError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};

use crate::{Encoded, Live, Piece, Refusal};

/// What is wanted of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Its entities.
    Entities,
    /// What the model says of each of its pieces.
    Pieces,
}

/// What was found in a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Its entities.
    Entities(Vec<Entity>),
    /// What the model says of each of its pieces.
    Pieces(Vec<Piece>),
}

/// An answer and how long it took.
#[derive(Debug)]
pub struct Answer {
    /// What was found.
    pub found: Found,
    /// From its arrival until its batch began.
    pub queued: Duration,
    /// The time of its batch.
    pub computed: Duration,
}

/// Texts that wait.
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    room: Arc<Semaphore>,
    /// Streams wait for room instead of being refused, and have half as much, so that they never take all of it.
    room_of_streams: Arc<Semaphore>,
    capacity: usize,
    batch: usize,
    /// Word pieces a second, the bits of an `f64`; 0 before the first batch.
    speed: AtomicU64,
    watch: Box<dyn Watch>,
}

/// Who is told of batches.
pub trait Watch: Send + Sync {
    /// A batch of so many pieces took so long.
    fn batch(&self, pieces: usize, took: Duration);
    /// A batch failed.
    fn failed(&self, problem: &str);
}

#[derive(Default)]
struct Waiting {
    texts: VecDeque<Text>,
    is_over: bool,
}

struct Text {
    model: Arc<Live>,
    encoded: Encoded,
    want: Want,
    since: Instant,
    until: Instant,
    answer: oneshot::Sender<Result<Answer, Refusal>>,
    _room: Room,
}

/// Room for some pieces; given back when it is dropped.
pub struct Room(Option<OwnedSemaphorePermit>);

impl Room {
    /// Part of a room for so many pieces; the last part is all that is left of it.
    pub(crate) fn part(room: &mut Option<Self>, pieces: usize, is_last: bool) -> Self {
        match room {
            Some(Self(Some(permit))) if !is_last => Self(permit.split(pieces)),
            _ => room.take().unwrap_or(Self(None)),
        }
    }
}

/// Where the answer to a text comes.
pub type Reply = oneshot::Receiver<Result<Answer, Refusal>>;

impl Queue {
    /// A queue of so many pieces that is emptied in batches of about so many.
    pub fn new(capacity: usize, batch: usize, watch: Box<dyn Watch>) -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            room: Arc::new(Semaphore::new(capacity)),
            room_of_streams: Arc::new(Semaphore::new(capacity.div_ceil(2))),
            capacity,
            batch,
            speed: AtomicU64::new(0),
            watch,
        }
    }

    /// Word pieces that wait or are computed.
    pub fn pieces(&self) -> usize {
        self.capacity - self.room.available_permits().min(self.capacity)
    }

    /// Whether there is hardly room for a text, so that reading a request is not worth it.
    ///
    /// # Errors
    /// There is not.
    pub fn has_room(&self) -> Result<(), Refusal> {
        if self.room.available_permits() < self.capacity.div_ceil(64) { Err(self.busy()) } else { Ok(()) }
    }

    /// Room for a text of so many pieces. One that is larger than the queue takes all of it.
    ///
    /// # Errors
    /// There is none now.
    pub fn room(&self, pieces: usize) -> Result<Room, Refusal> {
        let permits = pieces.clamp(1, self.capacity) as u32;
        match Arc::clone(&self.room).try_acquire_many_owned(permits) {
            Ok(permit) => Ok(Room(Some(permit))),
            Err(TryAcquireError::NoPermits) => Err(self.busy()),
            Err(TryAcquireError::Closed) => Err(stopping()),
        }
    }

    /// Room for a text of a stream, which waits for it.
    ///
    /// # Errors
    /// The server stops.
    pub async fn room_for_stream(&self, pieces: usize) -> Result<Room, Refusal> {
        let permits = pieces.clamp(1, self.capacity.div_ceil(2)) as u32;
        let permit = Arc::clone(&self.room_of_streams).acquire_many_owned(permits).await;
        permit.map(|permit| Room(Some(permit))).map_err(|_| stopping())
    }

    /// Puts a text into the queue.
    pub fn push(&self, model: &Arc<Live>, encoded: Encoded, want: Want, until: Instant, room: Room) -> Reply {
        let (answer, reply) = oneshot::channel();
        let text = Text { model: Arc::clone(model), encoded, want, since: Instant::now(), until, answer, _room: room };
        let mut waiting = self.lock();
        if waiting.is_over {
            drop(waiting);
            let _ = text.answer.send(Err(stopping()));
            return reply;
        }
        waiting.texts.push_back(text);
        self.arrived.notify_one();
        reply
    }

    /// Empties the queue until it is ended; the work of the computing thread.
    pub fn work(&self) {
        while let Some(batch) = self.take() {
            self.compute(batch);
        }
    }

    /// Ends the work behind what waits already; what comes later is refused.
    pub fn end(&self) {
        self.lock().is_over = true;
        self.arrived.notify_all();
    }

    /// Texts of one model that want the same, oldest first; `None` when the queue is ended and empty.
    fn take(&self) -> Option<Vec<Text>> {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            waiting.texts.retain_mut(|text| !text.answer.is_closed());
            let mut late = Vec::new();
            while waiting.texts.front().is_some_and(|text| text.until <= now) {
                late.extend(waiting.texts.pop_front());
            }
            for text in late {
                let waited = text.until.saturating_duration_since(text.since).as_secs_f64();
                let _ = text.answer.send(Err(Refusal::Late(waited)));
            }
            if let Some(first) = waiting.texts.front() {
                let (model, want) = (first.model.number, first.want);
                return Some(self.filled(&mut waiting.texts, model, want));
            }
            if waiting.is_over {
                return None;
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn filled(&self, texts: &mut VecDeque<Text>, model: u64, want: Want) -> Vec<Text> {
        let (mut batch, mut pieces, mut index) = (Vec::new(), 0, 0);
        while index < texts.len() && pieces < self.batch {
            let text = &texts[index];
            if text.model.number != model || text.want != want {
                index += 1;
                continue;
            }
            if pieces > 0 && pieces + text.encoded.pieces > self.batch {
                break;
            }
            pieces += text.encoded.pieces;
            batch.extend(texts.remove(index));
        }
        batch
    }

    fn compute(&self, batch: Vec<Text>) {
        let begun = Instant::now();
        let pieces: usize = batch.iter().map(|text| text.encoded.pieces).sum();
        // A defect that only some texts bring out must not end the server.
        let found = catch_unwind(AssertUnwindSafe(|| found(&batch)));
        let computed = begun.elapsed();
        self.watch.batch(pieces, computed);
        self.note_speed(pieces as f64 / computed.as_secs_f64().max(1e-6));
        let problem = match found {
            Ok(Ok(found)) if found.len() == batch.len() => {
                for (text, found) in batch.into_iter().zip(found) {
                    let queued = begun.saturating_duration_since(text.since);
                    let _ = text.answer.send(Ok(Answer { found, queued, computed }));
                }
                return;
            }
            Ok(Ok(found)) => format!("{} answers for {} texts", found.len(), batch.len()),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("panic: {}", said(&*panic)),
        };
        self.watch.failed(&problem);
        for text in batch {
            let _ = text.answer.send(Err(Refusal::Failed));
        }
    }

    fn note_speed(&self, now: f64) {
        let before = f64::from_bits(self.speed.load(Ordering::Relaxed));
        let speed = if before > 0.0 { 0.9 * before + 0.1 * now } else { now };
        self.speed.store(speed.to_bits(), Ordering::Relaxed);
    }

    /// That there is no room, with the time that half of the queue takes.
    pub(crate) fn busy(&self) -> Refusal {
        let speed = f64::from_bits(self.speed.load(Ordering::Relaxed));
        let seconds = if speed > 0.0 { self.pieces() as f64 / 2.0 / speed } else { 1.0 };
        Refusal::Busy { after_s: seconds.ceil().clamp(1.0, 60.0) as u64 }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(batch: &[Text]) -> Result<Vec<Found>, RecognizeError> {
    let Some(first) = batch.first() else { return Ok(Vec::new()) };
    let texts: Vec<&Encoded> = batch.iter().map(|text| &text.encoded).collect();
    Ok(match first.want {
        Want::Entities => first.model.tagger.entities(&texts)?.into_iter().map(Found::Entities).collect(),
        Want::Pieces => first.model.tagger.pieces(&texts)?.into_iter().map(Found::Pieces).collect(),
    })
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word")
}

fn stopping() -> Refusal {
    Refusal::Unavailable("the server is stopping".to_owned())
}
