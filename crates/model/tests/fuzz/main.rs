//! Every file of a model that fuzzing kept (`fuzz/README.md`) is replayed.
#![allow(clippy::unwrap_used)]

mod invariants;
#[path = "../../../../fuzz/kept.rs"]
mod kept;

use std::panic::{AssertUnwindSafe, catch_unwind};

fn replay(target: &str, holds: fn(&[u8])) {
    for (name, bytes) in kept::cases(target) {
        let held = catch_unwind(AssertUnwindSafe(|| holds(&bytes)));
        assert!(held.is_ok(), "{target}, case {name}: the panic is above");
    }
}

#[test]
fn kept_tokenizers_are_refused_or_cut_texts() {
    replay("tokenizer", invariants::tokenizer_holds);
}

#[test]
fn kept_weights_are_refused_or_have_what_they_announce() {
    replay("safetensors", invariants::weights_hold);
}
