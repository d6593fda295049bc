//! Every backward pass against central differences of the forward pass.
//!
//! The difference has five points, so that its own error falls with the fourth power of the step and a step large
//! enough for `f32` still tells the slope. A derivative may be off by [`TOLERANCE`] times the root mean square of the
//! gradients of its part of the parameter (queries, keys and values are parts of their own).

use nomen_engine::{Isa, ParameterId, Pool, Random};

use crate::{
    cases,
    fixture::{Case, training},
};

const TOLERANCE: f64 = 2e-3;

/// Weights of a parameter that are moved one by one.
const SAMPLES: usize = 40;

/// Directions in which all weights of a parameter are moved together, so that none is left out.
const DIRECTIONS: usize = 3;

fn check(mut case: Case, parts: usize) {
    let isa = Isa::detect();
    let (_, gradients) = case.gradients(isa);
    let mut pool = Pool::default();
    let mut random = Random::new(1234);
    for (id, gradient) in case.ids.clone().into_iter().zip(gradients) {
        let name = format!("{}: {}", case.name, case.parameters.get(id).name);
        let width = case.parameters.get(id).width;
        let part_of = |index: usize| index % width * parts / width;
        let scales: Vec<f64> = (0..parts).map(|part| root_mean_square(&gradient, |i| part_of(i) == part)).collect();
        let count = gradient.len();
        let samples = if count <= SAMPLES { (0..count).collect() } else { drawn(&mut random, count) };
        for index in samples {
            let slope = slope(&mut case, &mut pool, id, 0.05, |weights, step| weights[index] += step);
            let error = (slope - f64::from(gradient[index])).abs();
            let allowed = TOLERANCE * scales[part_of(index)] + 1e-5;
            assert!(error <= allowed, "{name}[{index}]: {} for a slope of {slope}", gradient[index]);
        }
        for (part, scale) in scales.iter().enumerate() {
            for _ in 0..DIRECTIONS {
                let direction: Vec<f32> =
                    (0..count).map(|i| if part_of(i) == part { random.normal() as f32 } else { 0.0 }).collect();
                let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
                let slope = slope(&mut case, &mut pool, id, 0.005, |weights, step| {
                    for (weight, direction) in weights.iter_mut().zip(&direction) {
                        *weight += step * direction;
                    }
                });
                let allowed = TOLERANCE * scale * (count as f64 / parts as f64).sqrt() + 1e-4;
                assert!((slope - along).abs() <= allowed, "{name}, part {part}: {along} for a slope of {slope}");
            }
        }
    }
}

fn check_all(cases: Vec<Case>, parts: usize) {
    for case in cases {
        check(case, parts);
    }
}

fn drawn(random: &mut Random, count: usize) -> Vec<usize> {
    (0..SAMPLES).map(|_| random.below(count)).collect()
}

fn root_mean_square(values: &[f32], keep: impl Fn(usize) -> bool) -> f64 {
    let squares: Vec<f64> =
        values.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, v)| f64::from(*v).powi(2)).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

/// The slope of the loss along a movement of a parameter.
fn slope(case: &mut Case, pool: &mut Pool, id: ParameterId, step: f32, shift: impl Fn(&mut [f32], f32)) -> f64 {
    let start = case.parameters.get(id).values.clone();
    let mut loss = |step: f32| {
        let weights = &mut case.parameters.get_mut(id).values;
        weights.copy_from_slice(&start);
        shift(weights, step);
        case.forward(pool, Isa::detect(), training()).loss
    };
    let (near, far) = (loss(step) - loss(-step), loss(2.0 * step) - loss(-2.0 * step));
    case.parameters.get_mut(id).values.copy_from_slice(&start);
    (8.0 * near - far) / (12.0 * f64::from(step))
}

#[test]
fn linear_has_the_slopes_of_its_forward_pass() {
    check(cases::linear(), 1);
}

#[test]
fn norm_has_the_slopes_of_its_forward_pass() {
    check_all(cases::norms(), 1);
}

#[test]
fn residual_norm_has_the_slopes_of_its_forward_pass_with_and_without_dropout() {
    check_all(cases::residual_norms(), 1);
}

#[test]
fn every_activation_function_has_the_slopes_of_its_forward_pass() {
    check_all(cases::activations(), 1);
}

#[test]
fn dropout_has_the_slopes_of_its_forward_pass() {
    check(cases::dropout(), 1);
}

#[test]
fn select_has_the_slopes_of_its_forward_pass() {
    check(cases::select(), 1);
}

#[test]
fn attention_with_heads_of_width_5_has_the_slopes_of_its_forward_pass() {
    check_all(cases::attentions(5, 0.0), 3);
}

#[test]
fn attention_with_heads_of_width_8_has_the_slopes_of_its_forward_pass() {
    check_all(cases::attentions(8, 0.0), 3);
}

#[test]
fn attention_with_heads_of_width_32_has_the_slopes_of_its_forward_pass() {
    check_all(cases::attentions(32, 0.0), 3);
}

#[test]
fn attention_with_dropout_has_the_slopes_of_its_forward_pass() {
    for width in [5, 8, 32] {
        check_all(cases::attentions(width, 0.3), 3);
    }
}

#[test]
fn embeddings_have_the_slopes_of_their_forward_pass_dense_and_sparse() {
    check_all(cases::embeddings(), 1);
}

#[test]
fn cross_entropy_has_the_slopes_of_its_forward_pass_with_rows_of_every_kind() {
    check(cases::cross_entropy(), 1);
}

#[test]
fn an_activation_that_several_operations_read_gets_the_sum_of_their_gradients() {
    check_all(cases::read_twice(), 1);
}

#[test]
fn a_whole_encoder_has_the_slopes_of_its_forward_pass() {
    check(cases::encoder(&[5, 1, 9], 0.1), 1);
}
