//! What is looked through before the `tokenizers` crate builds a foreign `tokenizer.json`.

#![no_main]

use std::{panic, sync::Once, thread};

static HOOK: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A panic of that crate is caught and told as an error; libFuzzer's hook would end the process first.
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            if thread::current().name() == Some("main") {
                eprintln!("{info}");
            }
        }));
    });
    nomen_fuzz::model::tokenizer_holds(bytes);
});
