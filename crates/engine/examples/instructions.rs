//! A small fixed job, for counting instructions: two training steps and two passes of inference in each number format
//! over one encoder layer of a small BERT's size.
//!
//!     cargo build --release -p nomen-engine --example instructions
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/instructions
//!
//! The count is the same run after run, whatever else the machine does. Valgrind knows no AVX-512, so the AVX2 copies of
//! the kernels run. `./check instructions` compares the count with `bench/instructions`.

#[path = "../benches/layer/mod.rs"]
mod layer;

use layer::Layer;
use nomen_engine::Precision;

fn main() {
    let mut layer = Layer::new(&[30, 7, 45, 18]);
    for step in 0..2 {
        layer.train(step);
    }
    for precision in [Precision::F32, Precision::Int8] {
        for _ in 0..2 {
            assert!(layer.infer(precision).is_finite());
        }
    }
}
