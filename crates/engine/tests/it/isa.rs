//! Every instruction set of this processor against the portable path.

use nomen_engine::{
    Gradients, Isa, Pool,
    optimizer::{Adamw, AdamwConfig},
};

use crate::{
    cases,
    fixture::{assert_close, largest},
};

/// Difference allowed, as a share of the largest value of a result: a few roundings, and their way through softmax
/// and normalization.
const TOLERANCE: f64 = 4e-6;

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[test]
fn every_operation_agrees_with_the_portable_path_forward_and_backward() {
    let available = Isa::available();
    assert_eq!(available[0].name(), "portable");
    for case in cases::all() {
        let (expected, expected_gradients) = case.gradients(available[0]);
        for &isa in &available[1..] {
            let (outcome, gradients) = case.gradients(isa);
            let what = format!("{} on {}", case.name, isa.name());
            let allowed = TOLERANCE * f64::from(largest(&expected.output));
            assert_close(&what, &outcome.output, &doubles(&expected.output), allowed);
            for ((gradient, expected), &id) in gradients.iter().zip(&expected_gradients).zip(&case.ids) {
                let what = format!("{what}, gradient of {}", case.parameters.get(id).name);
                let allowed = TOLERANCE * f64::from(largest(expected)) + 1e-7;
                assert_close(&what, gradient, &doubles(expected), allowed);
            }
        }
    }
}

#[test]
fn a_step_of_the_optimizer_agrees_with_the_portable_path() {
    let after = |isa| {
        let mut case = cases::encoder(&[9, 4], 0.1);
        let mut gradients = Gradients::new(&case.parameters);
        // The same gradient for all, so that only the step differs.
        case.train(&mut Pool::default(), Isa::available()[0], &mut gradients);
        let mut optimizer = Adamw::new(AdamwConfig::default(), &case.parameters);
        optimizer.step(&mut case.parameters, &mut [&mut gradients], 1e-2, isa).unwrap();
        case.parameters
    };
    let expected = after(Isa::available()[0]);
    for isa in Isa::available() {
        for (got, expected) in after(isa).iter().zip(expected.iter()) {
            assert_close(&expected.name, &got.values, &doubles(&expected.values), 5e-7);
        }
    }
}
