//! The reader of `html`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nomen_fuzz::reading::hold(Some(nomen_fuzz::Format::Html), bytes));
