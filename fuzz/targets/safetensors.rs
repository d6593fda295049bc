//! The header of a foreign file of weights, and the tensors that it announces.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nomen_fuzz::model::weights_hold(bytes));
