//! What is told on standard error while a command works.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line is written where standard error is no terminal.
const SELDOM: Duration = Duration::from_secs(30);

/// Writes a line to standard error. Nobody may be reading there, which must not stop the work.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// How far something has come: a bar on a terminal, else a line now and then.
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    told: Instant,
}

impl Progress {
    /// Progress towards `total` of what `unit` names.
    pub fn new(doing: &'static str, total: u64, unit: &str) -> Self {
        Self::with_template(doing, Some(total), &format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {unit}, {{eta}} left"))
    }

    /// Progress whose bar looks as `template` says; `total` may still be unknown.
    pub fn with_template(doing: impl Into<String>, total: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).expect("the templates are literals of this crate");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(doing.into());
        Self { bar, plain: !io::stderr().is_terminal(), told: Instant::now() }
    }

    /// So much is done by now. `line` says it where there is no terminal.
    pub fn set(&mut self, done: u64, line: impl FnOnce() -> String) {
        self.bar.set_position(done);
        if self.plain && self.told.elapsed() >= SELDOM {
            self.told = Instant::now();
            note(&line());
        }
    }

    /// What the bar says beside its numbers.
    pub fn message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// The same, with so much done before it began.
    pub fn starting_at(self, done: u64) -> Self {
        self.bar.set_position(done);
        self.bar.reset_eta();
        self
    }

    /// Writes a line above the bar.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
