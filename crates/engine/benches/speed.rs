//! Speed of one encoder layer of a small BERT's size on one thread: `cargo bench -p nomen-engine`.
//!
//! Throughput counts the multiply-adds of the matrix products as two operations each.

mod layer;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use layer::{INNER, Layer, WIDTH};
use nomen_engine::Precision;

/// Lengths of sequences: a batch of sentences, one sentence, one long text.
const CASES: [(&str, &[usize]); 3] = [
    ("16 sentences", &[30, 12, 45, 22, 31, 8, 27, 60, 19, 33, 41, 14, 25, 38, 29, 17]),
    ("a sentence", &[30]),
    ("256 pieces", &[256]),
];

/// Operations of the maps of one layer, forward.
fn operations(lengths: &[usize]) -> u64 {
    let weights = 4 * WIDTH * WIDTH + 2 * WIDTH * INNER;
    (2 * weights * lengths.iter().sum::<usize>()) as u64
}

fn layers(criterion: &mut Criterion) {
    for (name, lengths) in CASES {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        let mut layer = Layer::new(lengths);
        for (format, precision) in [("f32", Precision::F32), ("int8", Precision::Int8)] {
            group.throughput(Throughput::Elements(operations(lengths)));
            group.bench_function(format!("inference {format}"), |bencher| {
                bencher.iter(|| black_box(layer.infer(precision)));
            });
        }
        let mut step = 0;
        group.throughput(Throughput::Elements(3 * operations(lengths)));
        group.bench_function("training step", |bencher| {
            bencher.iter(|| {
                layer.train(step);
                step += 1;
            });
        });
        group.finish();
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);
