//! Where a run stands, and when it is over.

use serde::{Deserialize, Serialize};

/// Labelled rows that the smoothed loss looks back on, about: a small batch of hard texts says little.
const MEMORY: f64 = 256.0;
/// A loss so many times that of guessing is one that training has driven up. A fresh head begins at 1.
const BLOWN_UP: f64 = 1.5;

/// What a step depends on beside weights, moments and settings. Part of every checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Steps taken.
    pub step: u64,
    /// Best score on the dev set and the last step after which it was reached.
    pub best: Option<(f64, u64)>,
    /// Evaluations since the score last rose.
    pub evaluations_since_rise: u32,
    /// Loss of the last steps, each counting less the longer it is ago, as a share of what guessing would give.
    pub smoothed_loss: f64,
    /// Whether that was far above 1 since the last evaluation.
    pub blew_up: bool,
    /// Why the run is over, once it is.
    pub ended: Option<End>,
}

/// Why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All steps are taken.
    Finished,
    /// The score has not risen for `patience` evaluations.
    NoProgress,
    /// The loss has risen far above what guessing would give: the learning rate is too high for this model.
    Diverged,
}

impl Default for State {
    fn default() -> Self {
        Self { step: 0, best: None, evaluations_since_rise: 0, smoothed_loss: 1.0, blew_up: false, ended: None }
    }
}

impl State {
    /// Takes a step's mean loss over its labelled rows into account; `guessing` is the loss of equal probabilities.
    pub(crate) fn note_loss(&mut self, loss: f64, rows: usize, guessing: f64) {
        self.step += 1;
        let weight = rows as f64 / (rows as f64 + MEMORY);
        self.smoothed_loss += weight * (loss / guessing - self.smoothed_loss);
        self.blew_up |= self.is_blown_up();
    }

    /// Whether the loss is that of a model which training has ruined.
    pub(crate) fn is_blown_up(&self) -> bool {
        self.smoothed_loss > BLOWN_UP
    }

    /// Takes a score on the dev set into account, and ends a run whose score has not risen for `patience` evaluations
    /// (0 for any number), or whose loss blew up and left a model that has lost what it knew. Such a model often says
    /// the same of every text, with a loss that looks healthy.
    ///
    /// Whether no score before was better: of two models with one score the later has seen more.
    pub(crate) fn note_score(&mut self, score: f64, patience: u32) -> bool {
        let best = self.best.map(|(best, _)| best);
        if std::mem::take(&mut self.blew_up) && score <= best.unwrap_or(0.0) / 2.0 {
            self.ended = Some(End::Diverged);
            return false;
        }
        if best.is_none_or(|best| score > best) {
            self.evaluations_since_rise = 0;
        } else {
            self.evaluations_since_rise += 1;
        }
        if patience > 0 && self.evaluations_since_rise >= patience {
            self.ended = Some(End::NoProgress);
        }
        let is_best = best.is_none_or(|best| score >= best);
        if is_best {
            self.best = Some((score, self.step));
        }
        is_best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the loss ever blew up over steps of so many rows, guessing being 2 nats, and whether it still is.
    fn blows_up(rows: usize, losses: impl IntoIterator<Item = f64>) -> (bool, bool) {
        let mut state = State::default();
        losses.into_iter().for_each(|loss| state.note_loss(loss, rows, 2.0));
        (state.blew_up, state.is_blown_up())
    }

    #[test]
    fn a_loss_that_blows_up_is_noticed_though_it_comes_down_again() {
        assert_eq!(blows_up(300, [2.0, 2.0, 9.0, 30.0]), (true, true));
        assert_eq!(blows_up(300, [2.6, 2.5, 1.0, 0.4, 0.2, 10.3, 5.2, 0.3, 0.4, 0.3, 0.3]), (true, false));
        assert_eq!(blows_up(20, [0.1; 50].into_iter().chain([8.0; 20])), (true, true));
    }

    #[test]
    fn hard_batches_slow_starts_and_flat_losses_are_healthy() {
        assert_eq!(blows_up(300, [2.4, 2.5, 2.6, 2.5]), (false, false));
        assert_eq!(blows_up(1000, [2.0; 200]), (false, false));
        assert_eq!(blows_up(30, [0.1; 50].into_iter().chain([12.0]).chain([0.1; 50])), (false, false));
        assert_eq!(blows_up(3, [8.0, 0.2, 0.1].into_iter().cycle().take(300)), (false, false));
    }

    #[test]
    fn a_score_that_falls_by_half_ends_a_run_only_after_the_loss_blew_up() {
        let after = |blew_up, score| {
            let mut state = State { best: Some((0.6, 10)), step: 20, blew_up, ..State::default() };
            let is_best = state.note_score(score, 0);
            (is_best, state.ended, state.best)
        };
        let best = Some((0.6, 10));
        assert_eq!(after(true, 0.3), (false, Some(End::Diverged), best));
        assert_eq!(after(true, 0.5), (false, None, best));
        assert_eq!(after(false, 0.0), (false, None, best));
        let mut fresh = State { blew_up: true, ..State::default() };
        assert!(!fresh.note_score(0.0, 0) && fresh.ended == Some(End::Diverged) && fresh.best.is_none());
    }

    #[test]
    fn patience_counts_from_the_last_rise_and_an_equal_score_is_best_without_being_one() {
        let mut state = State::default();
        let noted = [0.0, 0.5, 0.5, 0.4].map(|score| {
            state.step += 10;
            (state.note_score(score, 3), state.evaluations_since_rise)
        });
        assert_eq!(noted, [(true, 0), (true, 0), (true, 1), (false, 2)]);
        assert_eq!((state.best, state.ended), (Some((0.5, 30)), None));
        state.note_score(0.5, 3);
        assert_eq!(state.ended, Some(End::NoProgress));
    }

    #[test]
    fn without_patience_a_run_is_never_ended_by_its_score() {
        let mut state = State::default();
        for _ in 0..1000 {
            state.note_score(0.0, 0);
        }
        assert_eq!(state.ended, None);
    }
}
