//! Parameters that are not trained.

use nomen_engine::{
    Gradient, Gradients, Isa, Pool,
    optimizer::{Adamw, AdamwConfig},
};

use crate::{
    cases,
    fixture::{Case, bits},
};

/// The encoder with everything frozen whose name `keep` does not want.
fn frozen_but(keep: impl Fn(&str) -> bool) -> Case {
    let mut case = cases::encoder(&[20, 7], 0.1);
    for &id in &case.ids {
        let parameter = case.parameters.get_mut(id);
        parameter.trainable = keep(&parameter.name);
    }
    case
}

fn second_layer_and_head(name: &str) -> bool {
    name.starts_with("1.") || name.starts_with("head.")
}

#[test]
fn frozen_parameters_keep_their_bits_and_have_no_gradient_and_no_moments() {
    let mut case = frozen_but(second_layer_and_head);
    let start = case.parameters.clone();
    let mut optimizer = Adamw::new(AdamwConfig { weight_decay: 0.1, ..AdamwConfig::default() }, &case.parameters);
    let (mut pool, mut gradients) = (Pool::default(), Gradients::new(&case.parameters));
    for _ in 0..3 {
        gradients.clear();
        case.train(&mut pool, Isa::detect(), &mut gradients);
        for &id in &case.ids {
            let untouched = matches!(gradients.get(id), Gradient::Zero);
            assert_eq!(untouched, !case.parameters.get(id).trainable, "{}", case.parameters.get(id).name);
        }
        optimizer.step(&mut case.parameters, &mut [&mut gradients], 1e-2, Isa::detect()).unwrap();
    }
    for ((after, before), moments) in case.parameters.iter().zip(start.iter()).zip(optimizer.moments()) {
        let same = bits(&after.values) == bits(&before.values);
        assert_eq!(same, !after.trainable, "{}", after.name);
        assert_eq!(moments[0].is_empty(), !after.trainable, "{}", after.name);
    }
}

#[test]
fn what_is_trained_gets_the_gradients_that_it_gets_with_nothing_frozen() {
    let (all, some) = (frozen_but(|_| true), frozen_but(second_layer_and_head));
    let [(_, expected), (_, gradients)] = [&all, &some].map(|case| case.gradients(Isa::detect()));
    for ((gradient, expected), &id) in gradients.iter().zip(&expected).zip(&some.ids) {
        if some.parameters.get(id).trainable {
            assert_eq!(bits(gradient), bits(expected), "{}", some.parameters.get(id).name);
        }
    }
}

#[test]
fn a_bias_alone_can_be_trained() {
    let all = frozen_but(|_| true);
    let some = frozen_but(|name| name == "0.in.bias");
    let [(_, expected), (_, gradients)] = [&all, &some].map(|case| case.gradients(Isa::detect()));
    let index = some.parameters.iter().position(|parameter| parameter.name == "0.in.bias").unwrap();
    assert_eq!(bits(&gradients[index]), bits(&expected[index]));
    assert!(gradients[index].iter().any(|value| *value != 0.0));
}

#[test]
fn nothing_is_kept_or_computed_below_what_is_trained() {
    let bytes = |case: &Case| {
        let mut pool = Pool::default();
        case.train(&mut pool, Isa::detect(), &mut Gradients::new(&case.parameters));
        pool.held()
    };
    let full = bytes(&frozen_but(|_| true));
    let half = bytes(&frozen_but(second_layer_and_head));
    let head = bytes(&frozen_but(|name| name.starts_with("head.")));
    let none = bytes(&frozen_but(|_| false));
    assert!(half < full * 3 / 4, "{half} of {full}");
    assert!(head < full / 2, "{head} of {full}");
    assert!(none <= head, "{none} of {head}");
}
