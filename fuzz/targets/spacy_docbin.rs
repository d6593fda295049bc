//! The reader of `spacy-docbin`: files, and what they hold unpacked.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nomen_fuzz::reading::hold_docbin(bytes));
