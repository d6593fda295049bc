//! Every operation over inputs that cross the edges of tiles and vectors.

use nomen_engine::{Activation, Attention, Lookup, Tape, Target};

use crate::fixture::{Case, Outcome, Weights, weighted_sum};

/// Sequence lengths on both sides of a vector of 16, a tile of 32, and of two tiles.
pub const LENGTHS: [usize; 5] = [1, 3, 31, 33, 70];

pub fn linear() -> Case {
    let mut weights = Weights::new(1);
    let (x, map) = (weights.input("x", 7, 19), weights.linear("linear", 19, 35));
    Case::new("linear", weights, &[7], move |tape| {
        let x = tape.embedding(vec![x.clone()]);
        let y = tape.linear(&x, map);
        weighted_sum(tape, &y)
    })
}

pub fn norms() -> Vec<Case> {
    [1, 5, 16, 67]
        .into_iter()
        .map(|width| {
            let mut weights = Weights::new(2);
            let (x, norm) = (weights.input("x", 5, width), weights.norm("norm", width));
            Case::new(format!("norm of width {width}"), weights, &[5], move |tape| {
                let x = tape.embedding(vec![x.clone()]);
                let y = tape.norm(x, norm);
                weighted_sum(tape, &y)
            })
        })
        .collect()
}

pub fn residual_norms() -> Vec<Case> {
    [0.0, 0.4]
        .into_iter()
        .map(|dropout| {
            let mut weights = Weights::new(3);
            let (x, residual) = (weights.input("x", 6, 37), weights.input("residual", 6, 37));
            let norm = weights.norm("norm", 37);
            Case::new(format!("residual norm with dropout {dropout}"), weights, &[6], move |tape| {
                let x = tape.embedding(vec![x.clone()]);
                let residual = tape.embedding(vec![residual.clone()]);
                let y = tape.residual_norm(x, residual, norm, dropout);
                weighted_sum(tape, &y)
            })
        })
        .collect()
}

pub fn activations() -> Vec<Case> {
    [Activation::Gelu, Activation::GeluTanh, Activation::Relu]
        .into_iter()
        .map(|function| {
            let mut weights = Weights::new(4);
            let x = weights.input("x", 9, 21);
            for value in weights.parameters.get_mut(x.table).values.iter_mut() {
                // The kink of the rectifier has no derivative that a difference could find.
                *value = (2.0 * *value).signum() * (2.0 * *value).abs().max(0.3);
            }
            Case::new(format!("{function:?}"), weights, &[9], move |tape| {
                let x = tape.embedding(vec![x.clone()]);
                let y = tape.activation(x, function);
                weighted_sum(tape, &y)
            })
        })
        .collect()
}

/// A selection beside another reader of the same activation, whose gradients meet.
pub fn select() -> Case {
    let mut weights = Weights::new(11);
    let (x, map) = (weights.input("x", 9, 19), weights.linear("linear", 19, 5));
    Case::new("select", weights, &[9], move |tape| {
        let x = tape.embedding(vec![x.clone()]);
        let before = tape.linear(&x, map);
        let x = tape.select(x, &[0, 4, 8]);
        let before = tape.select(before, &[1, 4, 5]);
        let after = tape.linear(&x, map);
        let y = tape.select(after, &[2, 0]);
        let (first, second) = (weighted_sum(tape, &y), weighted_sum(tape, &before));
        Outcome { loss: first.loss + second.loss, output: [first.output, second.output].concat() }
    })
}

pub fn dropout() -> Case {
    let mut weights = Weights::new(5);
    let x = weights.input("x", 8, 23);
    Case::new("dropout", weights, &[8], move |tape| {
        let x = tape.embedding(vec![x.clone()]);
        let y = tape.dropout(x, 0.3);
        weighted_sum(tape, &y)
    })
}

/// Attention for a head width: every length alone, and all of them packed with an empty sequence between.
pub fn attentions(width: usize, dropout: f32) -> Vec<Case> {
    let mut batches: Vec<Vec<usize>> = LENGTHS.iter().map(|&length| vec![length]).collect();
    batches.push(vec![33, 0, 1, 70, 3, 31]);
    batches
        .into_iter()
        .map(|lengths| {
            let mut weights = Weights::new(6);
            let heads = 2;
            let qkv = weights.input("qkv", lengths.iter().sum(), 3 * heads * width);
            let name = format!("attention of {lengths:?} tokens, {heads} heads of width {width}, dropout {dropout}");
            Case::new(name, weights, &lengths, move |tape| {
                let qkv = tape.embedding(vec![qkv.clone()]);
                let y = tape.attention(qkv, Attention { heads, dropout });
                weighted_sum(tape, &y)
            })
        })
        .collect()
}

/// A word table of which few rows are read, some more than once, and a position table.
pub fn embeddings() -> Vec<Case> {
    [false, true]
        .into_iter()
        .map(|sparse| {
            let mut weights = Weights::new(7);
            let words = weights.drawn("words", [50, 13], 0.0, 1.0);
            let positions = weights.drawn("positions", [4, 13], 0.0, 1.0);
            weights.parameters.get_mut(words).sparse = sparse;
            let name = if sparse { "embedding with sparse gradients" } else { "embedding" };
            Case::new(name, weights, &[4, 3], move |tape| {
                let words = Lookup { table: words, ids: vec![49, 3, 17, 3, 0, 3, 49] };
                let positions = Lookup { table: positions, ids: vec![0, 1, 2, 3, 0, 1, 2] };
                let y = tape.embedding(vec![words, positions]);
                weighted_sum(tape, &y)
            })
        })
        .collect()
}

pub fn cross_entropy() -> Case {
    const TEACHER: [f32; 9] = [0.4, 0.0, 0.05, 0.05, 0.2, 0.0, 0.1, 0.1, 0.1];
    let mut weights = Weights::new(8);
    let logits = weights.input("logits", 8, 9);
    let targets = [
        Target::Label(0),
        Target::Unknown,
        Target::Label(8),
        Target::Among(&[4, 0, 7]),
        Target::Unknown,
        Target::Among(&[4]),
        Target::Like { probabilities: &TEACHER, temperature: 1.0 },
        Target::Like { probabilities: &TEACHER, temperature: 2.5 },
    ];
    Case::new("cross entropy with rows of every kind", weights, &[8], move |tape| {
        let logits = tape.embedding(vec![logits.clone()]);
        let loss = tape.cross_entropy(&logits, &targets, 6.0);
        Outcome { loss, output: vec![loss as f32] }
    })
}

/// Activations that two operations read: each adds its share to one gradient.
pub fn read_twice() -> Vec<Case> {
    let mut weights = Weights::new(9);
    let (x, a, b) = (weights.input("x", 5, 12), weights.linear("a", 12, 12), weights.linear("b", 12, 12));
    let norm = weights.norm("norm", 12);
    let by_map_and_norm = Case::new("an activation read by a map, a map and a norm", weights, &[5], move |tape| {
        let x = tape.embedding(vec![x.clone()]);
        let (left, right) = (tape.linear(&x, a), tape.linear(&x, b));
        let left = tape.residual_norm(left, x, norm, 0.2);
        let y = tape.residual_norm(left, right, norm, 0.0);
        weighted_sum(tape, &y)
    });

    let mut weights = Weights::new(10);
    let (x, map) = (weights.input("x", 5, 24), weights.linear("map", 24, 8));
    let norm = weights.norm("norm", 8);
    let by_map_and_attention = Case::new("an activation read by a map and attention", weights, &[5], move |tape| {
        let x = tape.embedding(vec![x.clone()]);
        let mapped = tape.linear(&x, map);
        let attended = tape.attention(x, Attention { heads: 2, dropout: 0.0 });
        let y = tape.residual_norm(mapped, attended, norm, 0.0);
        weighted_sum(tape, &y)
    });

    let mut weights = Weights::new(11);
    let (x, map) = (weights.input("x", 5, 8), weights.linear("map", 8, 8));
    let norm = weights.norm("norm", 8);
    let by_map_and_function = Case::new("an activation read by a map and a function", weights, &[5], move |tape| {
        let x = tape.embedding(vec![x.clone()]);
        let mapped = tape.linear(&x, map);
        let curved = tape.activation(x, Activation::Gelu);
        let y = tape.residual_norm(mapped, curved, norm, 0.0);
        weighted_sum(tape, &y)
    });
    vec![by_map_and_norm, by_map_and_attention, by_map_and_function]
}

/// Two layers of an encoder and a classifier, with a sparse word table. `dropout` is everywhere.
pub fn encoder(lengths: &[usize], dropout: f32) -> Case {
    const LABELS: usize = 5;
    let (width, inner, vocabulary) = (16, 40, 60);
    let mut weights = Weights::new(12);
    let words = weights.drawn("words", [vocabulary, width], 0.0, 0.7);
    weights.parameters.get_mut(words).sparse = true;
    let positions = weights.drawn("positions", [128, width], 0.0, 0.3);
    let first_norm = weights.norm("norm", width);
    let layers: Vec<_> = (0..2)
        .map(|layer| {
            let maps = [("qkv", width, 3 * width), ("mix", width, width), ("in", width, inner), ("out", inner, width)]
                .map(|(name, inputs, outputs)| weights.linear(&format!("{layer}.{name}"), inputs, outputs));
            (maps, ["norm_1", "norm_2"].map(|name| weights.norm(&format!("{layer}.{name}"), width)))
        })
        .collect();
    let head = weights.linear("head", width, LABELS);
    let rows: usize = lengths.iter().sum();
    let ids: Vec<u32> = (0..rows).map(|row| (row * row % vocabulary) as u32).collect();
    let places: Vec<u32> = lengths.iter().flat_map(|&length| 0..length as u32).collect();
    let target = |row: usize| Target::from((row % 7 != 2).then_some((row % LABELS) as u32));
    let targets: Vec<Target<'_>> = (0..rows).map(target).collect();
    let labelled = targets.iter().filter(|target| **target != Target::Unknown).count() as f64;
    Case::new("encoder", weights, lengths, move |tape: &mut Tape<'_>| {
        let words = Lookup { table: words, ids: ids.clone() };
        let embedded = tape.embedding(vec![words, Lookup { table: positions, ids: places.clone() }]);
        let normed = tape.norm(embedded, first_norm);
        let mut hidden = tape.dropout(normed, dropout);
        for ([qkv, mix, into, out], [norm_1, norm_2]) in layers.clone() {
            let qkv = tape.linear(&hidden, qkv);
            let attended = tape.attention(qkv, Attention { heads: 2, dropout });
            let mixed = tape.linear(&attended, mix);
            tape.release(attended);
            let middle = tape.residual_norm(mixed, hidden, norm_1, dropout);
            let inner = tape.linear(&middle, into);
            let active = tape.activation(inner, Activation::Gelu);
            let outer = tape.linear(&active, out);
            tape.release(active);
            hidden = tape.residual_norm(outer, middle, norm_2, dropout);
        }
        let logits = tape.linear(&hidden, head);
        tape.release(hidden);
        let loss = tape.cross_entropy(&logits, &targets, labelled);
        Outcome { loss, output: tape.read(&logits).to_vec() }
    })
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut all = vec![linear(), select(), dropout(), cross_entropy(), encoder(&[33, 1, 20], 0.1)];
    all.extend([norms(), residual_norms(), activations(), embeddings(), read_twice()].into_iter().flatten());
    for width in [5, 8, 32] {
        all.extend([0.0, 0.3].into_iter().flat_map(|dropout| attentions(width, dropout)));
    }
    all
}
