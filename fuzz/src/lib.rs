//! What the targets call. The functions lie with the tests that replay what was kept, so that both judge alike.

#[path = "../../crates/model/tests/fuzz/invariants.rs"]
pub mod model;
#[path = "../../crates/corpus/tests/fuzz/invariants.rs"]
pub mod reading;

use std::{panic, sync::Once};

pub use nomen_corpus::Format;

static HOOK: Once = Once::new();

/// Lets a panic of a crate of others be caught, and told as an error, where the reader does that; libFuzzer's own hook
/// would end the process first. One that nobody catches still ends it. Those of our code are printed.
pub fn let_panics_be_caught() {
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            if info.location().is_some_and(|place| place.file().contains("crates/")) {
                eprintln!("{info}");
            }
        }));
    });
}
