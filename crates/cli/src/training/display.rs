//! A training run as a person sees it.

use std::time::Instant;

use indicatif::HumanDuration;
use train::StepReport;

use crate::progress::Progress;

/// The steps on standard error, and what they come to.
pub struct Display {
    progress: Progress,
    begun: Instant,
    /// Word pieces and seconds of all steps shown.
    speed: (f64, f64),
    /// Sum and number of the losses since the last evaluation.
    losses: (f64, u32),
    steps: u64,
}

impl Display {
    /// A run of so many steps, of which some were taken before.
    pub fn new(step: u64, steps: u64) -> Self {
        const BAR: &str = "{wide_bar} {pos}/{len}, {msg}, {eta} left";
        let progress = Progress::with_template("starting", Some(steps), BAR).starting_at(step);
        Self { progress, begun: Instant::now(), speed: (0.0, 0.0), losses: (0.0, 0), steps: 0 }
    }

    /// Shows a step, and on a line of its own the evaluation behind it.
    pub fn step(&mut self, report: &StepReport) {
        self.steps += 1;
        self.speed = (self.speed.0 + report.pieces as f64, self.speed.1 + report.elapsed.as_secs_f64());
        self.losses = (self.losses.0 + report.loss, self.losses.1 + 1);
        let loss = self.losses.0 / f64::from(self.losses.1);
        let state = format!("loss {loss:.3}, rate {:.1e}, {:.0} pieces/s", report.rate, self.pieces_per_second());
        self.progress.message(state.clone());
        let (step, steps) = (report.step, report.steps);
        let left = self.begun.elapsed().div_f64(self.steps as f64).mul_f64((steps - step) as f64);
        self.progress.set(step, || format!("step {step}/{steps}, {state}, {} left", HumanDuration(left)));
        if let Some(evaluation) = &report.evaluation {
            let scores = evaluation.scores.micro().average();
            let old =
                evaluation.old.as_ref().map(|old| format!("; old dev F1 {:.3}", old.micro().f1())).unwrap_or_default();
            let best = if evaluation.is_best && scores.f > 0.0 { ", the best so far" } else { "" };
            self.progress.note(&format!(
                "step {step}/{steps}: loss {loss:.3}; dev F1 {:.3}, precision {:.3}, recall {:.3}{old}{best}",
                scores.f, scores.p, scores.r
            ));
            self.losses = (0.0, 0);
        }
    }

    /// Writes a line above the bar.
    pub fn note(&self, line: &str) {
        self.progress.note(line);
    }

    fn pieces_per_second(&self) -> f64 {
        self.speed.0 / self.speed.1.max(f64::EPSILON)
    }

    /// Tells how many steps were taken, and how fast.
    pub fn summarize(&self) {
        if self.steps > 0 {
            let (steps, speed) = (self.steps, self.pieces_per_second());
            let seconds = self.begun.elapsed().as_secs_f64();
            self.progress
                .note(&format!("{steps} steps in {seconds:.0} s, {speed:.0} word pieces a second in training"));
        }
    }
}
