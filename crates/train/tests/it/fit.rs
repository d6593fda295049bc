//! The loop in memory.

use evaluate::Scores;
use nomen_train::{Batches, Dataset, End, Evaluation, Fit, FitError, Settings, StepReport};

use crate::sample::{self, fit, settings};

/// All steps of a run.
fn run(fit: &mut Fit) -> Vec<StepReport> {
    std::iter::from_fn(|| fit.step().unwrap()).collect()
}

fn losses(settings: Settings) -> Vec<f64> {
    run(&mut fit(settings)).iter().map(|report| report.loss).collect()
}

/// The weights by name.
fn weights(fit: &mut Fit) -> Vec<(String, Vec<f32>)> {
    let tensors = fit.bundle().classifier.tensors();
    tensors.map(|(name, _, values)| (name.to_owned(), values.to_vec())).collect()
}

fn f1(scores: &Scores) -> f64 {
    scores.micro().f1()
}

#[test]
fn a_run_learns_the_pattern() {
    let mut fit = fit(settings());
    let reports = run(&mut fit);
    assert_eq!(reports.len() as u64, fit.steps());
    let last = reports.last().unwrap();
    assert_eq!((last.ended, fit.state().ended), (Some(End::Finished), Some(End::Finished)));
    assert!(f1(&last.evaluation.as_ref().unwrap().scores) > 0.9, "{:?}", last.evaluation);
    assert!(last.loss < reports[0].loss / 2.0);
    assert_eq!(fit.step().unwrap(), None);
}

#[test]
fn old_texts_count_up_to_what_is_enough_and_decide_with_the_new_ones() {
    for enough in [0.25, 1.0] {
        let mut fit = fit(settings()).keeping(sample::documents(20, 7), enough);
        let evaluations: Vec<Evaluation> = run(&mut fit).into_iter().filter_map(|report| report.evaluation).collect();
        let old = |evaluation: &Evaluation| f1(evaluation.old.as_ref().unwrap());
        assert!(evaluations.iter().any(|evaluation| old(evaluation) > 0.25), "{evaluations:?}");
        for evaluation in &evaluations {
            let expected = f64::midpoint(f1(&evaluation.scores), old(evaluation).min(enough));
            assert!((evaluation.score - expected).abs() < 1e-12, "{enough}: {evaluation:?}");
        }
        let best = evaluations.iter().rev().find(|evaluation| evaluation.is_best).unwrap();
        assert!(evaluations.iter().all(|evaluation| evaluation.score <= best.score));
    }
}

#[test]
fn one_seed_gives_the_same_bits_twice_and_another_seed_does_not() {
    let bits = |seed| {
        let mut fit = fit(Settings { seed, max_steps: 25, ..settings() });
        let losses: Vec<u64> = run(&mut fit).iter().map(|report| report.loss.to_bits()).collect();
        (losses, weights(&mut fit))
    };
    let first = bits(1);
    assert!(first == bits(1));
    let other = bits(2);
    assert!(first.0 != other.0 && first.1 != other.1);
}

#[test]
fn the_number_of_threads_changes_rounding_only() {
    let losses = |threads| losses(Settings { threads, dropout: Some(0.0), max_steps: 30, ..settings() });
    let one = losses(1);
    for threads in [2, 3, 16] {
        for (step, (a, b)) in one.iter().zip(losses(threads)).enumerate() {
            assert!((a - b).abs() < 1e-3, "step {step} on {threads} threads: {a} and {b}");
        }
    }
}

#[test]
fn steps_are_those_of_all_epochs_or_as_many_as_allowed() {
    for (max_steps, steps, epochs) in [(0, 60, 3), (25, 25, 2), (1, 1, 1), (1000, 60, 3)] {
        let mut fit = fit(Settings { max_steps, ..settings() });
        let reports = run(&mut fit);
        assert_eq!((fit.steps(), reports.len() as u64), (steps, steps));
        assert_eq!(reports.last().unwrap().epoch + 1, epochs);
        assert!(reports.iter().map(|report| report.step).eq(1..=steps));
        assert!(reports.iter().all(|report| report.steps == steps));
    }
}

#[test]
fn the_rate_rises_over_the_warm_up_and_falls_to_the_end() {
    let rates: Vec<f64> =
        run(&mut fit(Settings { max_steps: 20, ..settings() })).iter().map(|report| report.rate).collect();
    assert_eq!(rates[..3], [0.0, 2.5e-3, 5e-3]);
    assert!(rates[2..].is_sorted_by(|a, b| a > b) && rates[19] > 0.0 && rates[19] < 5e-4, "{rates:?}");
}

#[test]
fn the_model_is_judged_when_asked_and_after_the_last_step() {
    let judged = |eval_every, max_steps| -> Vec<u64> {
        let reports = run(&mut fit(Settings { eval_every, max_steps, ..settings() }));
        reports.iter().filter(|report| report.evaluation.is_some()).map(|report| report.step).collect()
    };
    assert_eq!(judged(10, 25), [10, 20, 25]);
    assert_eq!(judged(10, 20), [10, 20]);
    assert_eq!(judged(100, 5), [5]);
    assert_eq!(judged(0, 45), [20, 40, 45]);
}

#[test]
fn without_a_dev_set_nothing_is_judged() {
    let mut fit =
        sample::fit_on(Settings { patience: 1, max_steps: 25, ..settings() }, &sample::train_set(), Vec::new());
    assert!(run(&mut fit).iter().all(|report| report.evaluation.is_none()));
    assert_eq!((fit.state().best, fit.state().ended), (None, Some(End::Finished)));
}

#[test]
fn a_run_whose_score_stays_ends_after_its_patience() {
    let still = Settings { learning_rate: 1e-9, eval_every: 2, patience: 3, ..settings() };
    let mut fit = fit(still);
    let reports = run(&mut fit);
    assert_eq!((reports.len(), fit.state().ended), (8, Some(End::NoProgress)));
}

#[test]
fn frozen_weights_keep_every_bit_and_the_others_change() {
    let frozen = |name: &str, embeddings: bool, layers: usize| {
        let layer = |layer: usize| name.contains(&format!("encoder.layer.{layer}."));
        (embeddings && name.contains("embeddings")) || (0..layers).any(layer)
    };
    for (freeze_embeddings, freeze_layers) in [(true, 0), (false, 1), (true, 2)] {
        let mut fit = fit(Settings { freeze_embeddings, freeze_layers, max_steps: 10, ..settings() });
        let before = weights(&mut fit);
        run(&mut fit);
        let mut kept = 0;
        for ((name, before), (_, after)) in before.iter().zip(weights(&mut fit)) {
            let is_frozen = frozen(name, freeze_embeddings, freeze_layers);
            assert_eq!(*before == after, is_frozen, "{name}");
            kept += usize::from(is_frozen);
        }
        assert!(kept > 0 && kept < before.len());
    }
}

#[test]
fn a_dropout_that_is_set_goes_before_the_base_s() {
    let first_loss = |dropout| losses(Settings { dropout, max_steps: 1, ..settings() })[0];
    assert_eq!(first_loss(None), first_loss(Some(0.1)));
    assert_ne!(first_loss(None), first_loss(Some(0.0)));
    // Without dropout the seed decides nothing but the head and the order.
    let mut bundle = fit(Settings { dropout: Some(0.0), ..settings() });
    assert_eq!(bundle.bundle().classifier.shape().head_dropout, 0.0);
}

#[test]
fn a_budget_of_pieces_is_kept_and_no_text_is_left_out() {
    let settings = Settings { train_batch_pieces: 100, num_train_epochs: 1, ..settings() };
    let reports = run(&mut fit(settings.clone()));
    assert!(reports.iter().all(|report| report.pieces <= 100));
    assert!(reports.iter().map(|report| report.pieces).sum::<usize>() > reports.len() * 70);
    let dataset = Dataset::new(&sample::bundle(&settings).codec, &sample::train_set(), None).unwrap();
    assert_eq!(reports.iter().map(|report| report.pieces).sum::<usize>(), dataset.pieces());
    assert_eq!(Batches::new(&dataset, &settings).steps(), reports.len() as u64);
}

#[test]
fn a_weight_that_is_no_number_stops_the_run_and_names_step_and_documents() {
    let mut fit = fit(Settings { train_batch_size: 3, ..settings() });
    for _ in 0..4 {
        fit.step().unwrap();
    }
    fit.bundle().classifier.parameters_mut().iter_mut().last().unwrap().values[0] = f32::NAN;
    let bits = |fit: &mut Fit| -> Vec<u32> {
        weights(fit).iter().flat_map(|(_, values)| values.iter().map(|value| value.to_bits())).collect()
    };
    let (before, state) = (bits(&mut fit), fit.state());
    let error = fit.step().unwrap_err();
    let FitError::Loss { step: 5, documents } = &error else { panic!("{error}") };
    assert_eq!(documents.len(), 3);
    assert!(documents.is_sorted() && documents.iter().all(|document| (1..=160).contains(document)));
    let text = error.to_string();
    assert!(text.contains("step 5") && text.contains(&format!("{documents:?}")), "{text}");
    assert!(bits(&mut fit) == before && fit.state() == state);
    // The same batch fails again: nothing was lost by the failure.
    assert_eq!(fit.step().unwrap_err().to_string(), text);
    assert!(matches!(fit.check_weights(), Err(FitError::Weights { step: 4, .. })));
}

#[test]
fn a_gradient_that_is_no_number_stops_the_run_before_any_weight_changes() {
    let mut fit = fit(settings());
    fit.step().unwrap();
    // A head of zeros keeps the loss finite; its gradient is the hidden states, whose squares exceed all numbers.
    for parameter in fit.bundle().classifier.parameters_mut().iter_mut() {
        let name = &*parameter.name;
        match name {
            "classifier.weight" => parameter.values.fill(0.0),
            _ if name.ends_with("layer.1.output.LayerNorm.weight") => parameter.values.fill(1e30),
            _ => {}
        }
    }
    let before = weights(&mut fit);
    let error = fit.step().unwrap_err();
    assert!(matches!(error, FitError::Gradient { step: 2, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("gradient of `classifier.weight`") && text.contains("documents are ["), "{text}");
    assert!(weights(&mut fit) == before);
}
