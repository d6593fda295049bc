//! Rates that ruin a model are noticed, and nothing else is taken for one.

use std::convert::Infallible;

use nomen_train::{End, Flow, Outcome, Run, RunFolder, Settings, State};

use crate::sample::{self, drive, identity, settings};

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
    let outcome = drive(out, &settings, |_| Flow::Continue).unwrap();
    assert_eq!(outcome, Outcome::Ended(End::Diverged));
    let evaluations = sample::events(out, "evaluation");
    let best = evaluations.iter().rfind(|event| event["is_best"] == true).unwrap();
    let saved = model::Bundle::open(&out.join("model-best")).unwrap().manifest.scores;
    assert_eq!((&saved["step"], &saved["dev"]["ents_f"]), (&best["step"], &best["ents_f"]));
    assert!(saved["dev"]["ents_f"].as_f64().unwrap() > 0.3, "{saved}");
    assert!(!out.join("model-last").exists());
    assert_eq!(sample::events(out, "end")[0]["reason"], "diverged");
}

/// A rate that is too high often leaves a model that finds nothing in any text, with a loss as low as that allows.
#[test]
fn a_model_that_came_out_of_a_blow_up_with_nothing_learnt_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = RunFolder::open(folder.path()).unwrap();
    let settings = Settings { learning_rate: 1e-9, eval_every: 4, ..settings() };
    let mut fit = sample::fit(settings.clone());
    let state = State { blew_up: true, ..fit.state() };
    fit.restore(state, |_, _| Ok::<_, Infallible>(()), |_, _, _| Ok(())).unwrap();
    for parameter in fit.bundle().classifier.parameters_mut().iter_mut() {
        match &*parameter.name {
            "classifier.weight" => parameter.values.fill(0.0),
            "classifier.bias" => parameter.values[0] = 1.5,
            _ => {}
        }
    }
    let mut run = Run::begin(&run_folder, identity(&settings)).unwrap();
    let mut evaluations = 0;
    let outcome = run.drive(&mut fit, |progress| {
        if let nomen_train::Progress::Step(report) = progress {
            evaluations += usize::from(report.evaluation.is_some());
        }
        Flow::Continue
    });
    assert_eq!((outcome.unwrap(), evaluations, fit.state().step), (Outcome::Ended(End::Diverged), 1, 4));
    assert!(!run_folder.model_best().exists() && !run_folder.model_last().exists());
}
