//! Work that is given so much of the processor's time.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// Why work has no result.
#[derive(Debug)]
pub(super) enum Unfinished {
    /// Its time was over.
    TooLong,
    /// It panicked, with these words.
    BrokeDown(String),
    /// There is no thread for it.
    NotBegun(io::Error),
}

/// Runs `work` on a thread of its own until `clock` has gone on by `limit`. A thread cannot be stopped: work that takes
/// too long is left to end alone.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    clock: impl Fn() -> Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let run = move || {
        let done = catch_unwind(AssertUnwindSafe(work));
        // Nobody receives once the time is over.
        let _ = sender.send(done.map_err(|panic| Unfinished::BrokeDown(panic_message(&*panic))));
    };
    let begun = clock();
    // Room for JSON as deep as the parser admits and for dropping a prefix tree of the longest entries.
    let thread = thread::Builder::new().name("load tokenizer".to_owned()).stack_size(16 << 20);
    thread.spawn(run).map_err(Unfinished::NotBegun)?;
    let mut left = limit;
    loop {
        if let Ok(done) = receiver.recv_timeout(left.max(Duration::from_millis(1))) {
            return done;
        }
        left = limit.saturating_sub(clock().saturating_sub(begun));
        if left.is_zero() {
            return Err(Unfinished::TooLong);
        }
    }
}

/// What this process has had of the processors. It stands still while others have them: a file is not hostile because
/// the machine is busy, or was asleep.
pub(super) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it broke down").to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_that_takes_too_long_or_breaks_down_is_an_error() {
        let begun = Instant::now();
        let clock = || begun.elapsed();
        let endless = within(Duration::from_millis(20), clock, || {
            thread::sleep(Duration::from_secs(5));
        });
        assert!(matches!(endless, Err(Unfinished::TooLong)));
        let broken: Result<(), _> = within(Duration::from_secs(5), clock, || panic!("index out of range"));
        assert!(matches!(broken, Err(Unfinished::BrokeDown(words)) if words == "index out of range"));
        assert_eq!(within(Duration::from_secs(5), clock, || 7).unwrap(), 7);
    }

    #[test]
    fn a_busy_machine_makes_no_file_slow() {
        let stopped = || Duration::ZERO;
        let late = within(Duration::from_millis(20), stopped, || {
            thread::sleep(Duration::from_millis(200));
            7
        });
        assert_eq!(late.unwrap(), 7);
    }

    #[test]
    fn processor_time_goes_on_with_work() {
        let (begun, before) = (Instant::now(), processor_time());
        let has_gone_on = || processor_time() >= before + Duration::from_millis(5);
        while !has_gone_on() && begun.elapsed() < Duration::from_secs(60) {}
        assert!(has_gone_on());
    }
}
