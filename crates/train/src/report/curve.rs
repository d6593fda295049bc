//! What `events.jsonl` says of the course of a run.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use crate::End;

/// The course of a run, sorted by step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// Its steps.
    pub steps: Vec<StepPoint>,
    /// The evaluations on the dev set.
    pub evaluations: Vec<EvaluationPoint>,
    /// Steps after which the run was gone on with.
    pub resumed: Vec<u64>,
    /// Why the run is over; `None` while it is not.
    pub end: Option<End>,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepPoint {
    /// Steps taken, this one included.
    pub step: u64,
    /// Mean loss of the batch; NaN where the file has no number.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Word pieces in the batch.
    pub pieces: u64,
    /// Time that it took.
    pub elapsed: Duration,
}

/// An evaluation on the dev set, by strict micro scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationPoint {
    /// Steps taken before.
    pub step: u64,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F1.
    pub f1: f64,
    /// F1 on the dev set of what the model knew before an update, where one was given.
    pub old_f1: Option<f64>,
    /// Whether the model was saved as the best so far.
    pub is_best: bool,
    /// Time that it took.
    pub elapsed: Duration,
}

/// A line of `events.jsonl`. JSON has no NaN and no infinity: they were written as `null`.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Start {
        #[serde(default)]
        resumed: bool,
        #[serde(default)]
        step: u64,
    },
    Step {
        step: u64,
        loss: Option<f64>,
        learning_rate: Option<f64>,
        pieces: u64,
        pieces_per_s: Option<f64>,
    },
    Evaluation {
        step: u64,
        is_best: bool,
        ents_p: Option<f64>,
        ents_r: Option<f64>,
        ents_f: Option<f64>,
        old: Option<OldScores>,
        seconds: Option<f64>,
    },
    End {
        reason: End,
    },
    #[serde(other)]
    Other,
}

/// What of the scores on the old dev set is drawn.
#[derive(Deserialize)]
struct OldScores {
    ents_f: Option<f64>,
}

impl Curve {
    /// The course that these events tell, as [`crate::Events::read`] gives them. Of a step that was taken again after
    /// a crash the last line counts; events of other kinds are passed over.
    pub fn of(events: &[Value]) -> Self {
        let (mut steps, mut evaluations) = (BTreeMap::new(), BTreeMap::new());
        let mut curve = Self::default();
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        for event in events {
            match Line::deserialize(event) {
                Ok(Line::Start { resumed, step }) => {
                    curve.end = None;
                    curve.resumed.extend(resumed.then_some(step));
                }
                Ok(Line::Step { step, loss, learning_rate, pieces, pieces_per_s }) => {
                    let elapsed = time(pieces as f64 / number(pieces_per_s));
                    let (loss, rate) = (number(loss), number(learning_rate));
                    steps.insert(step, StepPoint { step, loss, rate, pieces, elapsed });
                }
                Ok(Line::Evaluation { step, is_best, ents_p, ents_r, ents_f, old, seconds }) => {
                    let [precision, recall, f1] = [ents_p, ents_r, ents_f].map(number);
                    let old_f1 = old.map(|old| number(old.ents_f));
                    let elapsed = time(number(seconds));
                    evaluations.insert(step, EvaluationPoint { step, precision, recall, f1, old_f1, is_best, elapsed });
                }
                Ok(Line::End { reason }) => curve.end = Some(reason),
                Ok(Line::Other) | Err(_) => {}
            }
        }
        Self { steps: steps.into_values().collect(), evaluations: evaluations.into_values().collect(), ..curve }
    }

    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.steps.last().map_or(0, |point| point.step)
    }

    /// The evaluation after which `model-best` was written last.
    pub fn best(&self) -> Option<&EvaluationPoint> {
        self.evaluations.iter().rev().find(|point| point.is_best)
    }

    /// Time of all steps, evaluations left out.
    pub fn training_time(&self) -> Duration {
        self.steps.iter().map(|point| point.elapsed).sum()
    }

    /// Time of all evaluations.
    pub fn evaluation_time(&self) -> Duration {
        self.evaluations.iter().map(|point| point.elapsed).sum()
    }

    /// Word pieces a second over all steps; `None` where no time is known.
    pub fn pieces_per_second(&self) -> Option<f64> {
        let seconds = self.training_time().as_secs_f64();
        let pieces: u64 = self.steps.iter().map(|point| point.pieces).sum();
        (seconds > 0.0).then(|| pieces as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(step: u64, loss: f64) -> Value {
        json!({"event": "step", "step": step, "epoch": 0, "loss": loss, "learning_rate": 1e-4,
               "gradient_norm": 1.0, "pieces": 200, "pieces_per_s": 100.0})
    }

    #[test]
    fn a_step_taken_again_counts_once_and_lost_numbers_are_gaps() {
        let events = [
            json!({"event": "start", "resumed": false}),
            step(1, 2.0),
            step(2, 9.0),
            json!({"event": "end", "step": 2, "reason": "finished"}),
            json!({"event": "start", "resumed": true, "step": 1}),
            step(2, f64::NAN),
            json!({"event": "something new", "step": 2}),
            json!("no object"),
        ];
        let curve = Curve::of(&events);
        assert_eq!(curve.steps.len(), 2);
        assert!(curve.steps[1].loss.is_nan());
        assert_eq!((curve.step(), curve.resumed.as_slice(), curve.end), (2, [1].as_slice(), None));
        assert_eq!(curve.training_time(), Duration::from_secs(4));
        assert_eq!(curve.pieces_per_second(), Some(100.0));
    }

    #[test]
    fn the_best_is_the_last_model_that_was_saved_as_best() {
        let evaluation = |step, f1, is_best| {
            json!({"event": "evaluation", "step": step, "is_best": is_best, "ents_p": f1, "ents_r": f1, "ents_f": f1,
                   "ents_per_type": {}, "seconds": 0.5})
        };
        let curve = Curve::of(&[
            evaluation(10, 0.5, true),
            evaluation(20, 0.7, true),
            evaluation(30, 0.6, false),
            json!({"event": "end", "step": 30, "reason": "no-progress"}),
        ]);
        assert_eq!(curve.best().map(|best| best.step), Some(20));
        assert_eq!((curve.end, curve.evaluation_time()), (Some(End::NoProgress), Duration::from_millis(1500)));
        assert_eq!(Curve::of(&[]), Curve::default());
    }

    #[test]
    fn an_update_has_a_score_on_what_was_known_and_other_runs_have_none() {
        let mut of_update = json!({"event": "evaluation", "step": 2, "is_best": false, "ents_f": 0.5});
        let of_run = of_update.clone();
        of_update["old"] = json!({"ents_p": 1.0, "ents_f": 0.25});
        of_update["step"] = json!(3);
        let curve = Curve::of(&[of_run, of_update]);
        assert_eq!(curve.evaluations.iter().map(|point| point.old_f1).collect::<Vec<_>>(), [None, Some(0.25)]);
    }
}
