//! Texts on their way from a reader to a model.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// Most items of a batch.
const ITEMS: usize = 64;
/// Most bytes of a batch; a single item may be larger.
const BYTES: usize = 64 << 10;

/// When a batch is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Only when it is full: batches depend on the input alone.
    Full,
    /// With whatever is there: a person who types is answered line by line.
    Prompt,
}

/// Items that a thread of its own produces, in batches bounded in number and bytes. Memory holds one batch that is
/// being worked on and one that waits.
pub struct Batches<T> {
    queue: Arc<Queue<T>>,
    delivery: Delivery,
    producer: Option<JoinHandle<()>>,
}

/// The producer's end.
pub struct Sender<T>(Arc<Queue<T>>);

struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: Vec<T>,
    bytes: usize,
    full: bool,
    ended: bool,
    abandoned: bool,
}

impl<T: Send + 'static> Batches<T> {
    /// Batches of what `produce` sends, until it returns.
    pub fn from(delivery: Delivery, produce: impl FnOnce(&Sender<T>) + Send + 'static) -> Self {
        let state = State { items: Vec::new(), bytes: 0, full: false, ended: false, abandoned: false };
        let queue = Arc::new(Queue { state: Mutex::new(state), changed: Condvar::new() });
        let sender = Sender(Arc::clone(&queue));
        // Not scoped: it may hang in a read of standard input when the consumer has left.
        let producer = thread::spawn(move || produce(&sender));
        Self { queue, delivery, producer: Some(producer) }
    }
}

impl<T> Sender<T> {
    /// Waits until there is room for an item of so many bytes. False when nobody wants any more.
    pub fn send(&self, item: T, bytes: usize) -> bool {
        let mut state = self.0.lock();
        while !state.abandoned && !state.items.is_empty() && (state.items.len() >= ITEMS || state.bytes + bytes > BYTES)
        {
            state.full = true;
            self.0.changed.notify_all();
            state = self.0.wait(state);
        }
        state.items.push(item);
        state.bytes += bytes;
        self.0.changed.notify_all();
        !state.abandoned
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.changed.notify_all();
    }
}

impl<T> Drop for Batches<T> {
    fn drop(&mut self) {
        self.queue.lock().abandoned = true;
        self.queue.changed.notify_all();
    }
}

impl<T> Iterator for Batches<T> {
    type Item = Vec<T>;

    /// # Panics
    /// The producer panicked: its input must not end as if it were whole.
    fn next(&mut self) -> Option<Vec<T>> {
        let mut state = self.queue.lock();
        let ready = |state: &State<T>| match self.delivery {
            Delivery::Full => state.full,
            Delivery::Prompt => !state.items.is_empty(),
        };
        while !state.ended && !ready(&state) {
            state = self.queue.wait(state);
        }
        let batch = mem::take(&mut state.items);
        (state.bytes, state.full) = (0, false);
        self.queue.changed.notify_all();
        drop(state);
        if !batch.is_empty() {
            return Some(batch);
        }
        if let Some(producer) = self.producer.take() {
            producer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        None
    }
}

impl<T> Queue<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'q>(&self, state: MutexGuard<'q, State<T>>) -> MutexGuard<'q, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn sizes(delivery: Delivery, items: &'static [usize]) -> Vec<Vec<usize>> {
        let send = |sender: &Sender<usize>| items.iter().for_each(|&bytes| assert!(sender.send(bytes, bytes)));
        Batches::from(delivery, send).collect()
    }

    #[test]
    fn full_batches_depend_on_the_items_alone() {
        static MANY: [usize; 150] = [1; 150];
        let counts: Vec<usize> = sizes(Delivery::Full, &MANY).iter().map(Vec::len).collect();
        assert_eq!(counts, [64, 64, 22]);
        assert_eq!(sizes(Delivery::Full, &[40_000, 20_000, 9_000, 900_000, 5]).len(), 4);
    }

    #[test]
    fn nothing_is_lost_or_reordered_when_delivered_promptly() {
        static MANY: [usize; 1000] = [30; 1000];
        assert_eq!(sizes(Delivery::Prompt, &MANY).concat(), MANY);
    }

    #[test]
    fn one_item_is_delivered_before_the_next_one_is_there() {
        let (answered, wait) = mpsc::channel();
        let mut batches = Batches::from(Delivery::Prompt, move |sender| {
            sender.send(1, 1);
            wait.recv().unwrap();
            sender.send(2, 1);
        });
        assert_eq!(batches.next(), Some(vec![1]));
        answered.send(()).unwrap();
        assert_eq!(batches.next(), Some(vec![2]));
        assert_eq!(batches.next(), None);
    }

    #[test]
    fn a_producer_learns_that_nobody_listens() {
        let (told, learnt) = mpsc::channel();
        let batches = Batches::from(Delivery::Full, move |sender| {
            while sender.send(0, 1) {}
            told.send(()).unwrap();
        });
        drop(batches);
        learnt.recv().unwrap();
    }

    #[test]
    #[should_panic(expected = "broken reader")]
    fn a_producer_that_panics_does_not_look_like_the_end() {
        Batches::<u8>::from(Delivery::Full, |_| panic!("broken reader")).for_each(drop);
    }
}
