//! Rates that ruin a model are noticed, and nothing else is taken for one.

use nomen_train::{End, Settings};

use crate::sample::{self, drive, settings};

/// Where a run ended, and why, and the number of evaluations until then.
fn ends(settings: Settings) -> (u64, Option<End>, usize) {
    let mut fit = sample::fit(settings);
    let mut evaluations = 0;
    while let Some(report) = fit.step().unwrap() {
        evaluations += usize::from(report.evaluation.is_some());
    }
    (fit.state().step, fit.state().ended, evaluations)
}

#[test]
fn a_rate_a_thousand_times_too_high_is_noticed_at_the_first_evaluation() {
    for eval_every in [0, 5, 10, 30] {
        for seed in 0..3 {
            let settings = Settings { learning_rate: 5.0, eval_every, seed, ..settings() };
            let (step, end, evaluations) = ends(settings);
            assert_eq!((end, evaluations), (Some(End::Diverged), 0), "every {eval_every}: step {step}");
        }
    }
}

#[test]
fn healthy_runs_are_never_taken_for_diverging() {
    let healthy = [
        Settings { eval_every: 1, max_steps: 20, ..settings() },
        Settings { eval_every: 1, max_steps: 30, warmup_ratio: 0.0, ..settings() },
        Settings { eval_every: 7, train_batch_size: 1, max_steps: 160, learning_rate: 1e-3, ..settings() },
        Settings { eval_every: 2, max_steps: 20, learning_rate: 1e-7, ..settings() },
        Settings { train_batch_size: 160, num_train_epochs: 10, warmup_ratio: 0.5, ..settings() },
        Settings { dropout: Some(0.4), eval_every: 3, ..settings() },
        Settings { learning_rate: 1.5e-2, eval_every: 3, ..settings() },
    ];
    for settings in healthy {
        for seed in 0..3 {
            let settings = Settings { seed, ..settings.clone() };
            assert_eq!(ends(settings.clone()).1, Some(End::Finished), "{settings:?}");
        }
    }
}

#[test]
fn the_best_model_before_a_run_diverged_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    // The warm-up passes through every rate: the first evaluations are of a model that learns, the later ones are not.
    let settings =
        Settings { learning_rate: 5.0, warmup_ratio: 1.0, num_train_epochs: 200, eval_every: 10, ..settings() };
    let outcome = drive(out, &settings, |_| nomen_train::Flow::Continue).unwrap();
    assert_eq!(outcome, nomen_train::Outcome::Ended(End::Diverged));
    let evaluations = sample::events(out, "evaluation");
    let best = evaluations.iter().rfind(|event| event["is_best"] == true).unwrap();
    let saved = model::Bundle::open(&out.join("model-best")).unwrap().manifest.scores;
    assert_eq!((&saved["step"], &saved["dev"]["ents_f"]), (&best["step"], &best["ents_f"]));
    assert!(saved["dev"]["ents_f"].as_f64().unwrap() > 0.3, "{saved}");
    assert!(!out.join("model-last").exists());
    assert_eq!(sample::events(out, "end")[0]["reason"], "diverged");
}
