//! The same bits, run after run, whatever the memory held before.

use nomen_engine::{
    DropoutKey, Factors, Gradients, Isa, Mode, Pool,
    optimizer::{Adamw, AdamwConfig},
};

use crate::{
    cases,
    fixture::{Case, Outcome, Weights, bits, dense, training, weighted_sum},
};

/// Everything that a pass computes, as bits.
fn computed(case: &Case, pool: &mut Pool) -> (u64, Vec<Vec<u32>>) {
    let mut gradients = Gradients::new(&case.parameters);
    let Outcome { loss, output } = case.train(pool, Isa::detect(), &mut gradients);
    let gradients = case.ids.iter().map(|&id| bits(&dense(&case.parameters, &gradients, id)));
    (loss.to_bits(), std::iter::once(bits(&output)).chain(gradients).collect())
}

/// Leaves buffers full of NaN for whoever takes memory without writing it first.
fn spoil(pool: &mut Pool) {
    let sizes = (0..20).flat_map(|power| [1usize << power; 12]);
    let mut buffers: Vec<_> = sizes.map(|size| pool.take(size)).collect();
    for mut buffer in buffers.drain(..) {
        buffer.fill(f32::NAN);
        pool.give(buffer);
    }
}

#[test]
fn every_operation_gives_the_same_bits_from_cold_warm_and_spoilt_pools() {
    let mut shared = Pool::default();
    for case in cases::all() {
        let expected = computed(&case, &mut Pool::default());
        assert_eq!(computed(&case, &mut Pool::default()), expected, "{}, again", case.name);
        assert_eq!(computed(&case, &mut shared), expected, "{}, memory of other cases", case.name);
        assert_eq!(computed(&case, &mut shared), expected, "{}, its own memory", case.name);
        let mut spoilt = Pool::default();
        spoil(&mut spoilt);
        assert_eq!(computed(&case, &mut spoilt), expected, "{}, NaN in memory", case.name);
    }
}

/// Weights after some steps with two workers on threads of their own.
fn trained(spoilt: bool) -> Vec<Vec<u32>> {
    let isa = Isa::detect();
    let mut batches = [cases::encoder(&[33, 2], 0.1), cases::encoder(&[8, 40, 1], 0.1)];
    let mut pools = [Pool::default(), Pool::default()];
    if spoilt {
        pools.iter_mut().for_each(spoil);
    }
    let mut parameters = batches[0].parameters.clone();
    let mut optimizer = Adamw::new(AdamwConfig::default(), &parameters);
    let mut gradients = [Gradients::new(&parameters), Gradients::new(&parameters)];
    for _ in 0..4 {
        std::thread::scope(|scope| {
            for ((case, pool), gradients) in batches.iter_mut().zip(&mut pools).zip(&mut gradients) {
                case.parameters.clone_from(&parameters);
                gradients.clear();
                scope.spawn(move || case.train(pool, isa, gradients));
            }
        });
        let [first, second] = &mut gradients;
        optimizer.step(&mut parameters, &mut [first, second], 1e-3, isa).unwrap();
    }
    parameters.iter().map(|parameter| bits(&parameter.values)).collect()
}

#[test]
fn training_with_two_workers_ends_in_the_same_bits() {
    let expected = trained(false);
    assert_ne!(expected[0], bits(&cases::encoder(&[33, 2], 0.1).parameters.iter().next().unwrap().values));
    assert_eq!(trained(false), expected);
    assert_eq!(trained(true), expected);
}

#[test]
fn another_dropout_key_drops_other_values() {
    let case = cases::dropout();
    let other = Mode::Training { dropout: DropoutKey::new(5, 2), factors: Factors::F32 };
    let [first, second] =
        [training(), other].map(|mode| case.forward(&mut Pool::default(), Isa::detect(), mode).output);
    assert_ne!(bits(&first), bits(&second));
}

#[test]
fn two_dropouts_of_one_pass_drop_different_values() {
    let mut weights = Weights::new(1);
    let x = weights.input("x", 8, 23);
    let case = Case::new("dropout beside dropout", weights, &[8], move |tape| {
        let [first, second] = [0, 1].map(|_| {
            let x = tape.embedding(vec![x.clone()]);
            tape.dropout(x, 0.5)
        });
        assert_ne!(bits(tape.read(&first)), bits(tape.read(&second)));
        weighted_sum(tape, &first)
    });
    case.forward(&mut Pool::default(), Isa::detect(), training());
}
