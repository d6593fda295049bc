//! A run's folder: what lies in it at the end, and who may have it.

use std::{fs, path::Path};

use model::Bundle;
use nomen_train::{CheckpointError, End, Flow, Identity, Outcome, Progress, Run, RunError, RunFolder, Settings, score};

use crate::sample::{self, assert_same_outcome, drive, events, files, fit, identity, losses, settings};

const GO_ON: fn(Progress<'_>) -> Flow = |_| Flow::Continue;

/// A run that was never interrupted.
fn reference(settings: &Settings) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(drive(folder.path(), settings, GO_ON).unwrap(), Outcome::Ended(End::Finished));
    folder
}

/// A run with identity and all, from a folder that may hold one, in memory.
fn resume(folder: &RunFolder, identity: Identity, settings: &Settings) -> Result<Option<u64>, Box<RunError>> {
    let run = Run::resume(folder, identity, &mut fit(settings.clone()))?;
    Ok(run.resumed.map(|resumed| resumed.step))
}

#[test]
fn a_finished_run_leaves_models_events_and_a_checkpoint() {
    let folder = reference(&settings());
    let steps: Vec<u64> = losses(folder.path()).into_iter().map(|(step, _)| step).collect();
    assert!(steps.into_iter().eq(1..=60));
    let evaluated: Vec<u64> =
        events(folder.path(), "evaluation").iter().map(|event| event["step"].as_u64().unwrap()).collect();
    assert_eq!(evaluated, [20, 40, 60]);
    assert_eq!(events(folder.path(), "end")[0]["reason"], "finished");
    for event in events(folder.path(), "step") {
        for key in ["epoch", "loss", "learning_rate", "gradient_norm", "pieces", "pieces_per_s"] {
            assert!(event[key].is_number(), "{event}");
        }
    }
    for model in ["model-best", "model-last"] {
        Bundle::open(&folder.path().join(model)).unwrap();
    }
    assert!(folder.path().join("checkpoints/step-00000060").is_dir());
}

#[test]
fn a_model_s_scores_are_its_own() {
    // A rate that rises to the end makes the last model worse than the best.
    let settings = Settings { learning_rate: 0.1, warmup_ratio: 1.0, eval_every: 5, ..settings() };
    let folder = reference(&settings);
    let mut scores = Vec::new();
    for model in ["model-best", "model-last"] {
        let bundle = Bundle::open(&folder.path().join(model)).unwrap();
        let found = score(&model::Workers::all(), &bundle, &sample::dev_set()).unwrap();
        assert_eq!(bundle.manifest.scores["dev"], serde_json::to_value(&found).unwrap(), "{model}");
        scores.push(found.micro().f1());
    }
    assert!(scores[0] > scores[1], "{scores:?}");
    let best =
        events(folder.path(), "evaluation").iter().map(|event| event["ents_f"].as_f64().unwrap()).fold(0.0, f64::max);
    assert_eq!(scores[0], best);
}

#[test]
fn a_run_that_is_ended_early_keeps_the_best_model_as_best() {
    let settings = Settings { learning_rate: 0.1, warmup_ratio: 1.0, eval_every: 2, patience: 4, ..settings() };
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(drive(folder.path(), &settings, GO_ON).unwrap(), Outcome::Ended(End::NoProgress));
    let evaluations = events(folder.path(), "evaluation");
    let best = evaluations.iter().map(|event| event["ents_f"].as_f64().unwrap()).fold(0.0, f64::max);
    let scores = Bundle::open(&folder.path().join("model-best")).unwrap().manifest.scores;
    assert_eq!(scores["dev"]["ents_f"], best);
    let last = Bundle::open(&folder.path().join("model-last")).unwrap().manifest.scores;
    assert_eq!(last["step"].as_u64().unwrap(), losses(folder.path()).len() as u64);
    assert_eq!(scores["step"].as_u64().unwrap() + 8, last["step"].as_u64().unwrap());
}

#[test]
fn without_a_dev_set_the_last_model_is_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = RunFolder::open(folder.path()).unwrap();
    let settings = Settings { max_steps: 5, ..settings() };
    let mut fit = sample::fit_on(settings.clone(), &sample::train_set(), Vec::new());
    let mut run = Run::begin(&run_folder, identity(&settings)).unwrap();
    run.drive(&mut fit, GO_ON).unwrap();
    assert_eq!(files(&run_folder.model_best()), files(&run_folder.model_last()));
}

#[test]
fn a_run_stopped_again_and_again_ends_like_one_that_never_was() {
    for (every, settings) in [(7, settings()), (20, settings()), (3, Settings { eval_every: 8, ..settings() })] {
        let reference = reference(&settings);
        let folder = tempfile::tempdir().unwrap();
        let mut times = 0;
        let outcome = loop {
            times += 1;
            let stop = |progress: Progress<'_>| match progress {
                Progress::Step(report) if report.step % every == 0 => Flow::Stop,
                Progress::NotSaved(error) => panic!("{error}"),
                _ => Flow::Continue,
            };
            match drive(folder.path(), &settings, stop).unwrap() {
                Outcome::Stopped => assert!(!folder.path().join("model-last").exists()),
                outcome @ Outcome::Ended(_) => break outcome,
            }
        };
        assert_eq!((outcome, times), (Outcome::Ended(End::Finished), 60u64.div_ceil(every)));
        assert_same_outcome(folder.path(), reference.path());
        assert_eq!(events(folder.path(), "end").len(), 1);
    }
}

#[test]
fn going_on_with_a_finished_run_takes_no_step_and_leaves_its_models() {
    let folder = reference(&settings());
    let models = || ["model-best", "model-last"].map(|model| files(&folder.path().join(model)));
    let (models_before, losses_before) = (models(), losses(folder.path()));
    let run_folder = RunFolder::open(folder.path()).unwrap();
    let mut fit = fit(settings());
    let mut run = Run::resume(&run_folder, identity(&settings()), &mut fit).unwrap();
    assert_eq!((run.resumed.as_ref().unwrap().step, fit.state().ended), (60, Some(End::Finished)));
    let outcome = run.drive(&mut fit, |progress| panic!("{progress:?}")).unwrap();
    drop(run);
    assert_eq!(outcome, Outcome::Ended(End::Finished));
    assert!(models() == models_before && losses(folder.path()) == losses_before);
    // Even where the last model was lost: the checkpoint has it.
    fs::remove_dir_all(run_folder.model_last()).unwrap();
    drop(run_folder);
    drive(folder.path(), &settings(), GO_ON).unwrap();
    assert!(models() == models_before && events(folder.path(), "end").len() == 1);
}

#[test]
fn nothing_to_go_on_with_and_something_in_the_way_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = RunFolder::open(folder.path()).unwrap();
    let error = resume(&run_folder, identity(&settings()), &settings()).unwrap_err().to_string();
    assert!(error.contains("there is no checkpoint to resume from; start without --resume"), "{error}");
    Run::begin(&run_folder, identity(&settings())).unwrap();
    let error = Run::begin(&run_folder, identity(&settings())).unwrap_err();
    assert!(matches!(error, RunError::Occupied(_)) && error.to_string().contains("--resume"), "{error}");
    assert_eq!(resume(&run_folder, identity(&settings()), &settings()).unwrap(), Some(0));
}

#[test]
fn a_run_that_has_no_checkpoint_yet_is_not_gone_on_with_as_another() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = RunFolder::open(folder.path()).unwrap();
    Run::begin(&run_folder, identity(&settings())).unwrap();
    let other = Identity { labels: vec!["LOC".to_owned()], ..identity(&settings()) };
    let error = *resume(&run_folder, other, &settings()).unwrap_err();
    let RunError::Checkpoint(error) = error else { panic!("{error}") };
    let CheckpointError::Changed { differences, path } = *error else { panic!("{error}") };
    assert_eq!((differences.len(), &*differences[0].field, path), (1, "labels", run_folder.events()));
}

#[test]
fn a_folder_has_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = RunFolder::open(folder.path()).unwrap();
    let error = RunFolder::open(folder.path()).unwrap_err();
    assert!(matches!(error, RunError::Locked(_)) && error.to_string().contains("choose another --out"), "{error}");
    drop(first);
    RunFolder::open(folder.path()).unwrap();
}

/// Puts a file where a folder should be written, so that nothing can be saved there.
fn block(path: &Path) {
    fs::write(path, "in the way").unwrap();
}

#[test]
fn checkpoints_that_cannot_be_saved_are_told_and_training_goes_on() {
    let reference = reference(&settings());
    let folder = tempfile::tempdir().unwrap();
    block(&folder.path().join("checkpoints"));
    let mut told = Vec::new();
    let settings = Settings { checkpoint_every: 25, ..settings() };
    let outcome = drive(folder.path(), &settings, |progress| {
        if let Progress::NotSaved(error) = progress {
            told.push(error.to_string());
        }
        Flow::Continue
    });
    assert_eq!(outcome.unwrap(), Outcome::Ended(End::Finished));
    assert_eq!(told.len(), 3, "after steps 25 and 50 and at the end: {told:?}");
    assert!(told.iter().all(|error| error.contains("checkpoints")), "{told:?}");
    assert_same_outcome(folder.path(), reference.path());
}

#[test]
fn a_best_model_that_cannot_be_saved_is_told_and_the_next_one_better_than_the_saved_is_saved() {
    // The rate rises to the end: the score rises from evaluation to evaluation and then falls again.
    let settings = Settings { learning_rate: 0.1, warmup_ratio: 1.0, eval_every: 4, ..settings() };
    let top = tempfile::tempdir().unwrap();
    let (folder, aside) = (top.path().join("run"), top.path().join("aside"));
    let mut told = Vec::new();
    let outcome = drive(&folder, &settings, |progress| {
        match progress {
            // Over the best evaluations there is no folder to save in.
            Progress::Step(report) if report.step == 9 => {
                fs::rename(&folder, &aside).unwrap();
                block(&folder);
            }
            Progress::Step(report) if report.step == 33 => {
                fs::remove_file(&folder).unwrap();
                fs::rename(&aside, &folder).unwrap();
            }
            Progress::NotSaved(error) => told.push(error.to_string()),
            Progress::Step(_) | Progress::BestSaved => {}
        }
        Flow::Continue
    });
    assert_eq!(outcome.unwrap(), Outcome::Ended(End::Finished));
    assert!(told.len() >= 2 && told.iter().all(|error| error.contains("run: ")), "{told:?}");
    let scores = events(&folder, "evaluation");
    let scores: Vec<(u64, f64)> =
        scores.iter().map(|event| (event["step"].as_u64().unwrap(), event["ents_f"].as_f64().unwrap())).collect();
    let best = |range: std::ops::RangeInclusive<u64>| {
        scores.iter().filter(|(step, _)| range.contains(step)).map(|(_, score)| *score).fold(0.0, f64::max)
    };
    let saved = Bundle::open(&folder.join("model-best")).unwrap().manifest.scores;
    assert_eq!(saved["dev"]["ents_f"].as_f64().unwrap(), best(33..=60));
    assert!(best(9..=32) > best(33..=60) && best(33..=60) > best(1..=8), "{scores:?}");
}

#[test]
fn a_run_that_goes_wrong_saves_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = RunFolder::open(folder.path()).unwrap();
    let settings = Settings { checkpoint_every: 1, max_steps: 30, ..settings() };
    let mut fit = fit(settings.clone());
    let mut run = Run::begin(&run_folder, identity(&settings)).unwrap();
    run.drive(&mut fit, |progress| match progress {
        Progress::Step(report) if report.step == 22 => Flow::Stop,
        _ => Flow::Continue,
    })
    .unwrap();
    let before = (files(&run_folder.model_best()), files(&run_folder.join("checkpoints/step-00000022")));
    fit.bundle().classifier.parameters_mut().iter_mut().next().unwrap().values.fill(f32::NAN);
    let error = run.drive(&mut fit, GO_ON).unwrap_err();
    assert!(matches!(error, RunError::Fit(_)) && error.to_string().starts_with("step 23: "), "{error}");
    drop(run);
    let after = (files(&run_folder.model_best()), files(&run_folder.join("checkpoints/step-00000022")));
    assert!(before == after && !run_folder.model_last().exists());
    assert!(!run_folder.join("checkpoints/step-00000023").exists());
    assert!(losses(folder.path()).into_iter().map(|(step, _)| step).eq(1..=22));
    assert_eq!(sample::unfinished(folder.path()), [""; 0]);
}

#[test]
fn weights_beyond_all_numbers_are_saved_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = RunFolder::open(folder.path()).unwrap();
    // Without a dev set nothing but the weights themselves can tell after the last step.
    let settings = Settings { learning_rate: 1e39, warmup_ratio: 0.0, max_steps: 1, checkpoint_every: 1, ..settings() };
    let mut fit = sample::fit_on(settings.clone(), &sample::train_set(), Vec::new());
    let mut run = Run::begin(&run_folder, identity(&settings)).unwrap();
    let error = run.drive(&mut fit, GO_ON).unwrap_err().to_string();
    assert!(error.starts_with("after step 1: a weight of `"), "{error}");
    let left = ["model-best", "model-last", "checkpoints"].map(|name| run_folder.join(name).exists());
    assert_eq!(left, [false; 3]);
}

#[test]
fn what_a_crash_left_half_written_is_removed_when_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let stop = |progress: Progress<'_>| match progress {
        Progress::Step(report) if report.step == 5 => Flow::Stop,
        _ => Flow::Continue,
    };
    drive(folder.path(), &settings(), stop).unwrap();
    for left in ["checkpoints/.writing-abc123", ".nomen-bundle-abc123"] {
        fs::create_dir(folder.path().join(left)).unwrap();
        fs::write(folder.path().join(left).join("model.safetensors"), "part").unwrap();
    }
    fs::write(folder.path().join(".events-abc123"), "{").unwrap();
    fs::write(folder.path().join("notes.txt"), "of the user").unwrap();
    drive(folder.path(), &settings(), |_| Flow::Stop).unwrap();
    assert_eq!(sample::unfinished(folder.path()), [""; 0]);
    assert_eq!(sample::unfinished(&folder.path().join("checkpoints")), [""; 0]);
    assert!(folder.path().join("notes.txt").exists());
}
