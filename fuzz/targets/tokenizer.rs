//! What is looked through before the `tokenizers` crate builds a foreign `tokenizer.json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nomen_fuzz::let_panics_be_caught();
    nomen_fuzz::model::tokenizer_holds(bytes);
});
