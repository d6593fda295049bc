//! How many word pieces a second the encoder and its head judge: tokenizing before the clock starts, no decoding behind it.
//!
//!     cargo run --release -p nomen-model --example forward -- BUNDLE TEXTS.txt f32|int8 THREADS BATCH SECONDS [sorted]
//!
//! TEXTS.txt has one text a line. Texts go in batches of so many, in the order of the file or sorted by length; the whole
//! file again and again until so many seconds are over. `bench/peers/tagging.py` does the same with other runtimes.

use std::{
    env,
    error::Error,
    fs,
    num::NonZeroUsize,
    path::Path,
    time::{Duration, Instant},
};

use engine::Precision;
use nomen_model::{Bundle, Input, Workers, text::EncodedText};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (bundle, texts, precision, threads, batch, seconds, sorted) = match arguments[..] {
        [bundle, texts, precision, threads, batch, seconds] => {
            (bundle, texts, precision, threads, batch, seconds, false)
        }
        [bundle, texts, precision, threads, batch, seconds, "sorted"] => {
            (bundle, texts, precision, threads, batch, seconds, true)
        }
        _ => return Err("usage: forward BUNDLE TEXTS.txt f32|int8 THREADS BATCH SECONDS [sorted]".into()),
    };
    let precision = match precision {
        "f32" => Precision::F32,
        "int8" => Precision::Int8,
        other => return Err(format!("{other:?} is neither f32 nor int8").into()),
    };
    let threads: NonZeroUsize = threads.parse()?;
    let batch: usize = batch.parse()?;
    let limit = Duration::from_secs_f64(seconds.parse()?);

    let bundle = Bundle::open(Path::new(bundle))?;
    let texts = fs::read_to_string(texts)?;
    let encode = |text| bundle.codec.encode(Input::from(text));
    let mut encoded: Vec<EncodedText> = texts.lines().map(encode).collect::<Result<_, _>>()?;
    let length = |text: &EncodedText| -> usize { text.windows.iter().map(|window| window.ids.len()).sum() };
    if sorted {
        encoded.sort_by_key(length);
    }
    let pieces: usize = encoded.iter().map(length).sum();

    let workers = Workers::new(threads).with_precision(precision);
    let pass = || {
        for batch in encoded.chunks(batch) {
            workers.logits(&bundle.classifier, &bundle.codec, batch);
        }
    };
    pass();
    let mut passes = 0;
    let begun = Instant::now();
    while begun.elapsed() < limit {
        pass();
        passes += 1;
    }
    let took = begun.elapsed().as_secs_f64();
    println!("{}", json!({ "pieces_per_s": (passes * pieces) as f64 / took, "pieces": pieces, "passes": passes }));
    Ok(())
}
