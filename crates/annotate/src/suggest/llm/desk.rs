//! Where questions are answered: from the cache, by the server, or later.

use std::{
    collections::HashSet,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    Budget, Cache, Reply, Request, Server, Spent,
    cache::Place,
    request::{Form, tokens},
    run::Halted,
    server::Failure,
};

/// Who is asked what the cache does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The server.
    Online,
    /// Nobody; questions are collected ([`Desk::collected`]).
    Offline,
}

/// How often and how long a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often one question is asked while the server is busy or away.
    pub tries: u32,
    /// The pause before the second time; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause. A server that asks for a longer one is not waited for.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { tries: 6, first_pause: Duration::from_secs(1), longest_pause: Duration::from_secs(120) }
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// It was not asked: offline, or because the run is to end.
    NotAsked,
    /// It was not asked, because that could cost more than is left of the budget.
    Budget,
    /// The server did not answer, however often it was asked; the last it said.
    NoAnswer(String),
    /// The server does not serve this one; what it said.
    Refused(String),
}

/// After so many questions in a row without an answer the server is given up.
const GIVEN_UP: u32 = 8;
/// A pause is slept in steps of this, so that the end of a run is not waited for.
const STEP: Duration = Duration::from_millis(50);

/// Where questions are answered.
pub struct Desk<'d> {
    server: &'d Server,
    cache: &'d Cache,
    mode: Mode,
    budget: Budget,
    patience: Patience,
    leave: &'d (dyn Fn() -> bool + Sync),
    form: AtomicU8,
    state: Mutex<State>,
    /// A request came back, so that what was set aside for it is known.
    settled: Condvar,
}

#[derive(Default)]
struct State {
    spent: Spent,
    halted: Option<Halted>,
    in_vain: u32,
    retries: u64,
    collected: Vec<(String, Value)>,
    known: HashSet<String>,
}

impl<'d> Desk<'d> {
    /// A desk; `leave` tells when the run is to end.
    pub fn new(
        server: &'d Server,
        cache: &'d Cache,
        mode: Mode,
        budget: Budget,
        patience: Patience,
        leave: &'d (dyn Fn() -> bool + Sync),
    ) -> Self {
        let (form, state, settled) = Default::default();
        Self { server, cache, mode, budget, patience, leave, form, state, settled }
    }

    /// What was spent so far.
    pub fn spent(&self) -> Spent {
        self.state().spent
    }

    /// How often a question was asked again because the server was busy or away.
    pub fn retries(&self) -> u64 {
        self.state().retries
    }

    /// The questions that could not be asked, each once, in the order in which they came: their hash and their body.
    pub fn collected(&self) -> Vec<(String, Value)> {
        self.state().collected.clone()
    }

    /// Why nothing more is asked, where something made that senseless.
    pub fn halted(&self) -> Option<Halted> {
        self.state().halted.clone()
    }

    /// The hash under which the answer to a request is kept.
    pub fn hash(&self, request: &Request) -> String {
        request.hash(self.server.address())
    }

    /// Whether the answer to a request is there already.
    pub fn knows(&self, request: &Request) -> bool {
        self.cache.holds(&self.hash(request))
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// There is none, for one of several reasons; the cache keeps what was answered before.
    pub fn ask(&self, request: &Request) -> Result<Reply, Unanswered> {
        let hash = self.hash(request);
        if self.mode == Mode::Offline {
            let known = self.cache.known(&hash);
            let mut state = self.state();
            if known.is_some() {
                state.spent.from_cache += 1;
            } else if state.known.insert(hash.clone()) {
                let body = request.body(Form::Schema);
                state.collected.push((hash, body));
            }
            return known.ok_or(Unanswered::NotAsked);
        }
        let claim = match self.cache.claim(hash) {
            Place::Known(reply) => {
                self.state().spent.from_cache += 1;
                return Ok(reply);
            }
            Place::Free(claim) => claim,
        };
        let reply = self.asked(request)?;
        if let Err(error) = claim.answered(reply.clone()) {
            // An answer that is not kept would be paid for twice.
            self.halt(Halted::Cache(error.to_string()));
            return Err(Unanswered::NotAsked);
        }
        Ok(reply)
    }

    /// Asks the server until it answers, or it is senseless to go on.
    fn asked(&self, request: &Request) -> Result<Reply, Unanswered> {
        let prompt = request.prompt_tokens();
        let mut last = String::new();
        let mut attempt = 0;
        while attempt < self.patience.tries.max(1) {
            if (self.leave)() || self.state().halted.is_some() {
                return Err(Unanswered::NotAsked);
            }
            let most = self.reserve(prompt, u64::from(request.max_tokens))?;
            let form = self.form();
            let answer = self.server.ask(&request.body(form));
            let (usage, guess) = match &answer {
                Ok(reply) => (reply.usage, (prompt, tokens(&reply.content))),
                // The model may have worked for an answer that never came.
                Err(Failure::Away(_, true)) => (None, (prompt, 0)),
                Err(_) => (None, (0, 0)),
            };
            self.state().spent.settle(&self.budget, most, usage, guess);
            self.settled.notify_all();
            let pause = match answer {
                Ok(reply) => {
                    self.state().in_vain = 0;
                    return Ok(reply);
                }
                Err(Failure::Form(said)) => {
                    if self.other_form(form) {
                        continue;
                    }
                    return Err(self.in_vain(Unanswered::Refused(said)));
                }
                Err(Failure::Refused(said)) => return Err(self.in_vain(Unanswered::Refused(said))),
                Err(Failure::Never(said)) => {
                    self.halt(Halted::Server(format!("{} {said}", self.server.address())));
                    return Err(Unanswered::NotAsked);
                }
                Err(Failure::Busy(pause, said)) => {
                    last = said;
                    pause
                }
                Err(Failure::Away(said, _)) => {
                    last = said;
                    None
                }
            };
            attempt += 1;
            if attempt < self.patience.tries {
                let own = self.patience.first_pause.saturating_mul(1 << attempt.min(16).saturating_sub(1));
                let pause = pause.unwrap_or_default().max(own.min(self.patience.longest_pause));
                if pause > self.patience.longest_pause {
                    last = format!("{last}; it asks to wait {} s", pause.as_secs());
                    break;
                }
                self.state().retries += 1;
                self.wait(pause);
            }
        }
        Err(self.in_vain(Unanswered::NoAnswer(last)))
    }

    /// Sets aside the most that a request may come to, and tells it: tokens of the question and of the answer. While
    /// others are under way, which may come to less, it waits.
    fn reserve(&self, guess: u64, completion: u64) -> Result<(u64, u64), Unanswered> {
        let mut state = self.state();
        loop {
            let prompt = state.spent.as_counted(guess);
            if state.spent.reserve(&self.budget, prompt, completion) {
                return Ok((prompt, completion));
            }
            if !state.spent.is_waiting() {
                return Err(Unanswered::Budget);
            }
            state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Counts a question without an answer; too many in a row end the run.
    fn in_vain(&self, unanswered: Unanswered) -> Unanswered {
        let mut state = self.state();
        state.in_vain += 1;
        if let (GIVEN_UP.., Unanswered::NoAnswer(said) | Unanswered::Refused(said)) = (state.in_vain, &unanswered) {
            let told = format!("{} gave {GIVEN_UP} times in a row no answer; the last: {said}", self.server.address());
            state.halted.get_or_insert(Halted::Server(told));
        }
        unanswered
    }

    fn wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !(self.leave)() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(STEP));
        }
    }

    /// How answers are asked for: by the schema, until the server refused that.
    fn form(&self) -> Form {
        match self.form.load(Ordering::Relaxed) {
            0 => Form::Schema,
            1 => Form::Object,
            _ => Form::Prompt,
        }
    }

    /// The next weaker form, where there is one.
    fn other_form(&self, refused: Form) -> bool {
        let (from, to) = match refused {
            Form::Schema => (0, 1),
            Form::Object => (1, 2),
            Form::Prompt => return false,
        };
        // Another thread may have met the same refusal before.
        let _ = self.form.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        true
    }

    fn halt(&self, why: Halted) {
        self.state().halted.get_or_insert(why);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
