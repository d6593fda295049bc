//! A thread a tracker, which follows a run's events behind the loop.

use std::{
    path::Path,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use super::{Destination, Environment, Leaving, Record, TrackError, Tracker, tail::Tail};
use crate::{Curve, Events};

/// Most records that are sent at once.
const AT_ONCE: usize = 200;

/// How often a follower looks, and how it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Least time between two looks at the events.
    pub look: Duration,
    /// How many times as long as an exchange took a follower then rests, at most [`Self::longest_wait`]. A server may share
    /// the cores of the training: with 200 and a minute, exchanges of up to 0.3 s take at most half a percent of the time.
    pub rests: u32,
    /// Time before the second attempt; it doubles with each that follows.
    pub first_wait: Duration,
    /// Longest time before another attempt.
    pub longest_wait: Duration,
    /// How long the end of a run is tried to be shown. An attempt that was begun by then goes on to its own time limit.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Self { look: second, rests: 200, first_wait: second, longest_wait: minute, patience: 10 * second }
    }
}

/// The followers of a run. Nothing here makes the caller wait but [`Self::finish`].
#[derive(Debug)]
pub struct Tracking {
    followers: Vec<Handle>,
    news: Receiver<String>,
}

#[derive(Debug)]
struct Handle {
    name: String,
    leave: Sender<Leaving>,
    done: Receiver<Result<(), TrackError>>,
}

impl Tracking {
    /// Follows the run in a folder to these places. Call it once the run is begun or gone on with: its events are then
    /// those that hold.
    pub fn start(run: &Path, destinations: &[Destination], environment: &Environment, pace: Pace) -> Self {
        let (tell, news) = mpsc::channel();
        let mut followers = Vec::new();
        for destination in destinations {
            match destination.tracker(run, environment) {
                Ok(None) => {}
                Ok(Some(tracker)) => {
                    let name = tracker.name();
                    let follower = Follower::new(tracker, run);
                    match start(name.clone(), follower, pace, tell.clone()) {
                        Ok(handle) => followers.push(handle),
                        // Nobody is left to hear it where the receiver is gone.
                        Err(error) => drop(tell.send(format!("{name}: the run is not shown there: {error}"))),
                    }
                }
                Err(error) => drop(tell.send(format!("{destination}: the run is not shown there: {error}"))),
            }
        }
        Self { followers, news }
    }

    /// What the followers had to say since the last call.
    pub fn news(&self) -> impl Iterator<Item = String> {
        self.news.try_iter()
    }

    /// Lets the followers show what is left, and waits for them as long as `go_on` says so; `told` hears what they have to
    /// say, at last of each place that does not have everything. Whether all of them have.
    pub fn finish(&self, leaving: Leaving, go_on: impl Fn() -> bool, mut told: impl FnMut(&str)) -> bool {
        const MOMENT: Duration = Duration::from_millis(50);
        for follower in &self.followers {
            // One that is gone has said so.
            let _ = follower.leave.send(leaving);
        }
        let mut is_whole = true;
        for follower in &self.followers {
            let outcome = loop {
                match follower.done.recv_timeout(MOMENT) {
                    Ok(outcome) => break outcome,
                    Err(RecvTimeoutError::Timeout) if go_on() => {}
                    Err(_) => break Err(TrackError::Away("it was not waited for".to_owned())),
                }
                self.news().for_each(|line| told(&line));
            };
            self.news().for_each(|line| told(&line));
            if let Err(error) = outcome {
                is_whole = false;
                told(&format!("{}: it does not have everything of the run: {error}", follower.name));
            }
        }
        is_whole
    }
}

/// Shows at each place what it does not have yet of a run that nobody is training; the places by name, with what came of
/// it.
///
/// # Errors
/// The run's events cannot be read.
pub fn sync(
    run: &Path,
    destinations: &[Destination],
    environment: &Environment,
    pace: Pace,
) -> std::io::Result<Vec<(String, Result<(), TrackError>)>> {
    let end = Curve::of(&Events::read(&run.join("events.jsonl"))?).end;
    let leaving = end.map_or(Leaving::Stopped, Leaving::Over);
    let mut outcomes = Vec::new();
    for destination in destinations {
        match destination.tracker(run, environment) {
            Ok(None) => {}
            Ok(Some(tracker)) => {
                let name = tracker.name();
                outcomes.push((name, Follower::new(tracker, run).close(leaving, pace)));
            }
            Err(error) => outcomes.push((destination.to_string(), Err(error))),
        }
    }
    Ok(outcomes)
}

fn start(name: String, mut follower: Follower, pace: Pace, tell: Sender<String>) -> std::io::Result<Handle> {
    let (leave, orders) = mpsc::channel();
    let (report, done) = mpsc::channel();
    let shown = name.clone();
    thread::Builder::new().name("tracking".to_owned()).spawn(move || {
        let outcome = follower.follow(&shown, pace, &orders, &tell);
        // Whoever left without waiting does not want to know.
        let _ = report.send(outcome);
    })?;
    Ok(Handle { name, leave, done })
}

/// A tracker and what it is to take next.
struct Follower {
    tracker: Box<dyn Tracker>,
    tail: Tail,
    /// What was read and not yet taken over. No more is read until it is.
    waiting: Vec<Record>,
}

impl Follower {
    fn new(tracker: Box<dyn Tracker>, run: &Path) -> Self {
        Self { tracker, tail: Tail::new(run.join("events.jsonl")), waiting: Vec::new() }
    }

    /// Follows until the process leaves the run.
    fn follow(
        &mut self,
        name: &str,
        pace: Pace,
        orders: &Receiver<Leaving>,
        tell: &Sender<String>,
    ) -> Result<(), TrackError> {
        let mut wait = Wait::new(pace);
        let mut silent = false;
        loop {
            match orders.recv_timeout(wait.current()) {
                Ok(leaving) => return self.close(leaving, pace),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let begun = Instant::now();
            match self.catch_up() {
                Ok(()) => {
                    if std::mem::take(&mut silent) {
                        let _ = tell.send(format!("{name}: it answers again and has everything up to now"));
                    }
                    wait.after(begun.elapsed());
                }
                Err(TrackError::Away(reason)) => {
                    if !std::mem::replace(&mut silent, true) {
                        let _ =
                            tell.send(format!("{name}: {reason}; the run goes on, and what it misses is sent later"));
                    }
                    wait.longer();
                }
                Err(refused @ TrackError::Refused(_)) => {
                    let _ = tell.send(format!("{name}: {refused}; the run goes on and is not shown there any more"));
                    // The thread stays until the end, so that it is told once more what is missing.
                    let _ = orders.recv();
                    return Err(refused);
                }
            }
        }
    }

    /// Takes over what is new.
    fn catch_up(&mut self) -> Result<(), TrackError> {
        loop {
            if self.waiting.is_empty() {
                let read = self.tail.next(AT_ONCE);
                self.waiting = read.map_err(|error| TrackError::Away(format!("events.jsonl: {error}")))?;
            }
            if self.waiting.is_empty() {
                return Ok(());
            }
            self.tracker.send(&self.waiting)?;
            self.waiting.clear();
        }
    }

    /// Takes over what is left and the end.
    fn close(&mut self, leaving: Leaving, pace: Pace) -> Result<(), TrackError> {
        let begun = Instant::now();
        let mut wait = Wait::new(pace);
        loop {
            match self.catch_up().and_then(|()| self.tracker.close(leaving)) {
                Err(TrackError::Away(reason)) => {
                    wait.longer();
                    let time = wait.current();
                    if begun.elapsed() + time >= pace.patience {
                        return Err(TrackError::Away(reason));
                    }
                    thread::sleep(time);
                }
                outcome => return outcome,
            }
        }
    }
}

/// The time before the next exchange.
struct Wait {
    pace: Pace,
    current: Duration,
    /// Whether the last exchange failed.
    is_away: bool,
}

impl Wait {
    fn new(pace: Pace) -> Self {
        Self { pace, current: pace.look, is_away: false }
    }

    fn current(&self) -> Duration {
        self.current
    }

    /// An exchange succeeded, which took so long.
    fn after(&mut self, took: Duration) {
        let Pace { look, rests, longest_wait, .. } = self.pace;
        self.current = took.saturating_mul(rests).min(longest_wait).max(look);
        self.is_away = false;
    }

    /// An exchange failed.
    fn longer(&mut self) {
        let Pace { first_wait, longest_wait, .. } = self.pace;
        self.current = if self.is_away { (2 * self.current).min(longest_wait) } else { first_wait };
        self.is_away = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_ever_more_seldom_up_to_a_limit() {
        let mut wait = Wait::new(Pace::default());
        assert_eq!(wait.current(), Pace::default().look);
        let seconds: Vec<u64> = (0..8)
            .map(|_| {
                wait.longer();
                wait.current().as_secs()
            })
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn the_rest_after_an_exchange_is_many_times_as_long_as_it_took() {
        let mut wait = Wait::new(Pace::default());
        for (took, rest) in [(0, 1_000), (4, 1_000), (30, 6_000), (2_000, 60_000)] {
            // Whether or not a server was away before.
            wait.longer();
            wait.after(Duration::from_millis(took));
            assert_eq!(wait.current(), Duration::from_millis(rest), "{took} ms");
        }
        wait.longer();
        assert_eq!(wait.current(), Pace::default().first_wait);
    }
}
