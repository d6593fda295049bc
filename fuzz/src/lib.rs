//! What the targets call. The functions lie with the tests that replay what was kept, so that both judge alike.

#[path = "../../crates/model/tests/fuzz/invariants.rs"]
pub mod model;
#[path = "../../crates/corpus/tests/fuzz/invariants.rs"]
pub mod reading;

pub use nomen_corpus::Format;
