//! Inputs of which nobody says the format.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nomen_fuzz::let_panics_be_caught();
    nomen_fuzz::reading::hold(None, bytes);
});
