//! Threads that share in one operation.
//!
//! Where a call has fewer batches than threads, each operation is split instead. Affine maps in `f32` are split by their
//! outputs, because their weights come from memory and are then read by one core each; everything else is split by rows, so
//! that a core finds in its own cache what it wrote there. No sum is cut in two: the bits are those of one thread.
//!
//! An operation on a short text takes some ten microseconds, less than it takes to wake a thread. Helpers therefore watch for
//! the next job for a while before they sleep.

use std::{
    any::Any,
    hint,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::Pool;

/// Looks at a value that another thread will change, before the processor is offered to others in between.
const SPINS: usize = 500;
/// Offers of the processor before a helper sleeps: some hundred microseconds.
const YIELDS: usize = 20;

/// The thread that calls, and helpers that wait for it.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// Of every thread.
    pools: Vec<Mutex<Pool>>,
}

struct Shared {
    /// Counts jobs; helpers look here for the next one.
    round: AtomicUsize,
    /// Helpers that have not finished the job of this round.
    running: AtomicUsize,
    /// Helpers that sleep until they are woken.
    asleep: AtomicUsize,
    /// The job of this round; none where the team is dissolved.
    job: Mutex<Option<Job>>,
    wake: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// A job that its caller keeps alive until every helper has finished it.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn(usize) + Sync));

// SAFETY: what it points to may be called from any thread (`Sync`), and `Team::run` returns only after the last call.
#[allow(unsafe_code)]
unsafe impl Send for Job {}

impl Team {
    /// A team of so many threads, the caller among them; of fewer where the system gives no more.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            job: Mutex::new(None),
            wake: Condvar::new(),
            panic: Mutex::new(None),
        });
        let start = |number: usize| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("helper-{number}")).spawn(move || shared.help(number)).ok()
        };
        let helpers: Vec<_> = (1..threads).map_while(start).collect();
        let pools = (0..=helpers.len()).map(|_| Mutex::default()).collect();
        Self { shared, helpers, pools }
    }

    /// Threads, the caller among them.
    pub fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Rows of a part, where so many are shared out evenly.
    pub(crate) fn part(&self, rows: usize) -> usize {
        rows.div_ceil(self.threads()).max(1)
    }

    /// The rows, or panels, of every part.
    pub(crate) fn parts(&self, rows: usize) -> impl Iterator<Item = Range<usize>> + Clone + use<> {
        let part = self.part(rows);
        (0..rows).step_by(part).map(move |start| start..(start + part).min(rows))
    }

    /// Runs every job, the first on the caller's thread, the second on the first helper's and so on, with memory of that
    /// thread; there must not be more of them than threads.
    pub(crate) fn share<J: Send>(&mut self, jobs: impl Iterator<Item = J>, run: impl Fn(&mut Pool, J) + Sync) {
        let jobs: Vec<Mutex<Option<J>>> = jobs.map(|job| Mutex::new(Some(job))).collect();
        assert!(jobs.len() <= self.threads(), "a job a thread");
        let pools = &self.pools;
        self.run(&|thread| {
            if let Some(job) = jobs.get(thread).and_then(|job| lock(job).take()) {
                run(&mut lock(&pools[thread]), job);
            }
        });
    }

    /// Calls `job` with the number of each thread on that thread, and waits for all of them.
    ///
    /// [`Team::share`] borrows the team mutably, so that there is one caller at a time.
    #[allow(unsafe_code)]
    fn run(&self, job: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime changes, and nobody calls the job after this function has returned: it waits for every
        // helper, also where a call panics.
        let job_of_helpers: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(job) };
        self.shared.announce(Some(Job(job_of_helpers)), self.helpers.len());
        let mine = catch_unwind(AssertUnwindSafe(|| job(0)));
        wait_until(|| self.shared.running.load(Ordering::Acquire) == 0, usize::MAX);
        if let Err(panic) = mine {
            resume_unwind(panic);
        }
        if let Some(panic) = lock(&self.shared.panic).take() {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.announce(None, 0);
        for helper in self.helpers.drain(..) {
            // A helper catches the panics of its jobs.
            let _ = helper.join();
        }
    }
}

impl Shared {
    fn announce(&self, job: Option<Job>, helpers: usize) {
        *lock(&self.job) = job;
        self.running.store(helpers, Ordering::Relaxed);
        // Either a helper that falls asleep sees the new round, or it is seen here.
        self.round.fetch_add(1, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) > 0 {
            let _job = lock(&self.job);
            self.wake.notify_all();
        }
    }

    /// A helper's life.
    #[allow(unsafe_code)]
    fn help(&self, number: usize) {
        let mut seen = 0;
        loop {
            self.await_round_after(seen);
            seen += 1;
            let Some(Job(job)) = *lock(&self.job) else { return };
            // SAFETY: the job lives until this helper has said that it finished.
            let job = unsafe { &*job };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job(number))) {
                *lock(&self.panic) = Some(panic);
            }
            self.running.fetch_sub(1, Ordering::Release);
        }
    }

    fn await_round_after(&self, seen: usize) {
        if wait_until(|| self.round.load(Ordering::SeqCst) != seen, YIELDS) {
            return;
        }
        let mut job = lock(&self.job);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        while self.round.load(Ordering::SeqCst) == seen {
            job = self.wake.wait(job).unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Watches until something is so, or until the processor was offered to others so many times; says whether it is.
fn wait_until(so: impl Fn() -> bool, yields: usize) -> bool {
    for _ in 0..yields {
        for _ in 0..SPINS {
            if so() {
                return true;
            }
            hint::spin_loop();
        }
        thread::yield_now();
    }
    so()
}

/// No job leaves what a lock guards half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_job_of_every_round_runs_once_whether_helpers_watch_or_sleep() {
        let mut team = Team::new(4);
        for round in 0..3000 {
            let sum = AtomicUsize::new(0);
            team.share((1..=3).map(|job| job * round), |_, job| {
                sum.fetch_add(job, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 6 * round);
            if round % 1000 == 999 {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let mut team = Team::new(3);
        for spoilt in [0, 1, 2] {
            let panic = catch_unwind(AssertUnwindSafe(|| team.share(0..3, |_, job| assert_ne!(job, spoilt, "spoilt"))));
            assert!(panic.is_err());
            let done = AtomicUsize::new(0);
            team.share(0..3, |_, _| {
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 3);
        }
    }
}
