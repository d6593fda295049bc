//! Every input that fuzzing kept (`fuzz/README.md`) is replayed: those that once broke a reader, and those that take a path
//! through it that no other takes.
#![allow(clippy::unwrap_used)]

mod invariants;
#[path = "../../../../fuzz/kept.rs"]
mod kept;

use std::panic::{AssertUnwindSafe, catch_unwind};

use nomen_corpus::Format;

fn replay(target: &str, holds: impl Fn(&[u8])) {
    for (name, bytes) in kept::cases(target) {
        let held = catch_unwind(AssertUnwindSafe(|| holds(&bytes)));
        assert!(held.is_ok(), "{target}, case {name}: the panic is above");
    }
}

#[test]
fn kept_cases_hold_in_their_format() {
    for format in Format::ALL {
        replay(format.name(), |bytes| match format {
            Format::SpacyDocbin => invariants::hold_docbin(bytes),
            _ => invariants::hold(Some(format), bytes),
        });
    }
    replay("parquet", |bytes| invariants::hold(Some(Format::Huggingface), bytes));
}

#[test]
fn kept_cases_hold_where_the_format_is_detected() {
    replay("detect", |bytes| invariants::hold(None, bytes));
}
