//! Shapes at their limits, and shapes that do not fit.

use nomen_engine::{Attention, Isa, Linear, Lookup, Norm, Packed, Pool, Tape, Target, Tensor};

use crate::fixture::{Case, Weights, largest, training, weighted_sum};

#[test]
fn a_batch_without_tokens_gives_zero_gradients() {
    for lengths in [&[][..], &[0], &[0, 0]] {
        let mut weights = Weights::new(1);
        let (x, map) = (weights.drawn("x", [3, 8], 0.0, 1.0), weights.linear("map", 8, 24));
        let norm = weights.norm("norm", 8);
        let case = Case::new("no token", weights, lengths, move |tape| {
            let x = tape.embedding(vec![Lookup { table: x, ids: Vec::new() }]);
            let qkv = tape.linear(&x, map);
            let attended = tape.attention(qkv, Attention { heads: 2, dropout: 0.1 });
            let y = tape.residual_norm(attended, x, norm, 0.1);
            weighted_sum(tape, &y)
        });
        for isa in Isa::available() {
            let (outcome, gradients) = case.gradients(isa);
            assert!(outcome.output.is_empty());
            assert!(gradients.iter().all(|gradient| largest(gradient) <= 0.0));
        }
    }
}

/// Tables of three rows, and a map and a norm for the wide one.
struct Pieces {
    narrow: Lookup,
    wide: Lookup,
    map: Linear,
    norm: Norm,
}

/// Runs an operation that does not fit.
fn misuse(operation: impl Fn(&mut Tape<'_>, Pieces) -> Tensor) {
    let mut weights = Weights::new(1);
    let pieces = Pieces {
        narrow: weights.input("narrow", 3, 6),
        wide: weights.input("wide", 3, 8),
        map: weights.linear("map", 8, 24),
        norm: weights.norm("norm", 8),
    };
    let (packed, mut pool) = (Packed::new([3]), Pool::default());
    let mut tape = Tape::new(&weights.parameters, &mut pool, &packed, Isa::detect(), training());
    let _ = operation(&mut tape, pieces);
}

#[test]
#[should_panic(expected = "`wide` is as wide as the first table")]
fn tables_of_different_widths_are_refused() {
    misuse(|tape, pieces| tape.embedding(vec![pieces.narrow, pieces.wide]));
}

#[test]
#[should_panic(expected = "one row number a token")]
fn a_token_without_a_row_is_refused() {
    misuse(|tape, pieces| tape.embedding(vec![Lookup { ids: vec![0, 1], ..pieces.wide }]));
}

#[test]
#[should_panic(expected = "`map.weight` is as wide as its input")]
fn a_map_of_another_width_is_refused() {
    misuse(|tape, pieces| {
        let x = tape.embedding(vec![pieces.narrow]);
        tape.linear(&x, pieces.map)
    });
}

#[test]
#[should_panic(expected = "`norm.beta` has one value an output")]
fn a_bias_of_another_length_is_refused() {
    misuse(|tape, pieces| {
        let x = tape.embedding(vec![pieces.wide]);
        tape.linear(&x, Linear { bias: pieces.norm.beta, ..pieces.map })
    });
}

#[test]
#[should_panic(expected = "`norm.gamma` is as wide as its input")]
fn a_norm_of_another_width_is_refused() {
    misuse(|tape, pieces| {
        let x = tape.embedding(vec![pieces.narrow]);
        tape.norm(x, pieces.norm)
    });
}

#[test]
#[should_panic(expected = "one residual a value")]
fn a_residual_of_another_width_is_refused() {
    misuse(|tape, pieces| {
        let (x, residual) = (tape.embedding(vec![pieces.wide]), tape.embedding(vec![pieces.narrow]));
        tape.residual_norm(x, residual, pieces.norm, 0.0)
    });
}

#[test]
#[should_panic(expected = "queries, keys and values of 5 heads")]
fn heads_that_do_not_divide_the_width_are_refused() {
    misuse(|tape, pieces| {
        let x = tape.embedding(vec![pieces.wide]);
        let qkv = tape.linear(&x, pieces.map);
        tape.attention(qkv, Attention { heads: 5, dropout: 0.0 })
    });
}

#[test]
#[should_panic(expected = "one target a row")]
fn a_row_without_a_target_is_refused() {
    misuse(|tape, pieces| {
        let x = tape.embedding(vec![pieces.wide]);
        tape.cross_entropy(&x, &[Target::Label(0), Target::Unknown], 1.0);
        x
    });
}
