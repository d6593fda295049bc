//! Inference beside training, and what the pool holds.

use nomen_engine::{Gradients, Isa, Mode, Pool, Precision, Random};

use crate::{
    cases,
    fixture::{bits, training},
};

#[test]
fn inference_gives_the_bits_of_training_without_dropout() {
    let with = cases::encoder(&[33, 1, 12], 0.3);
    let without = cases::encoder(&[33, 1, 12], 0.0);
    for isa in Isa::available() {
        let inference = with.forward(&mut Pool::default(), isa, Mode::Inference(Precision::F32));
        let trained = without.forward(&mut Pool::default(), isa, training());
        assert_eq!(bits(&inference.output), bits(&trained.output));
        assert_eq!(inference.loss.to_bits(), trained.loss.to_bits());
        let dropped = with.forward(&mut Pool::default(), isa, training());
        assert_ne!(bits(&inference.output), bits(&dropped.output));
    }
}

#[test]
fn the_pool_gets_everything_back_and_does_not_grow_from_step_to_step() {
    let case = cases::encoder(&[33, 1, 12], 0.1);
    let mut pool = Pool::default();
    let mut gradients = Gradients::new(&case.parameters);
    case.train(&mut pool, Isa::detect(), &mut gradients);
    let held = pool.held();
    assert!(held > 0);
    for _ in 0..20 {
        case.train(&mut pool, Isa::detect(), &mut gradients);
        assert_eq!(pool.held(), held);
    }
    // A tape that is dropped before its backward pass leaves nothing behind either.
    for _ in 0..5 {
        case.forward(&mut pool, Isa::detect(), training());
        assert_eq!(pool.held(), held);
    }
}

#[test]
fn inference_holds_less_than_half_the_memory_of_training() {
    let case = cases::encoder(&[33, 1, 12], 0.1);
    let [inference, trained] = [Mode::Inference(Precision::F32), training()].map(|mode| {
        let mut pool = Pool::default();
        case.forward(&mut pool, Isa::detect(), mode);
        case.forward(&mut pool, Isa::detect(), mode);
        pool.held()
    });
    assert!(inference < trained / 2, "{inference} of {trained}");
}

#[test]
fn batches_of_all_sizes_hold_little_more_than_the_largest_alone() {
    let largest = cases::encoder(&[100; 4], 0.1);
    let mut alone = Pool::default();
    largest.train(&mut alone, Isa::detect(), &mut Gradients::new(&largest.parameters));
    let mut pool = Pool::default();
    let mut random = Random::new(3);
    for _ in 0..60 {
        let lengths: Vec<usize> = (0..=random.below(4)).map(|_| 1 + random.below(100)).collect();
        let case = cases::encoder(&lengths, 0.1);
        case.train(&mut pool, Isa::detect(), &mut Gradients::new(&case.parameters));
    }
    assert!(pool.held() < 3 * alone.held(), "{} beside {}", pool.held(), alone.held());
}
