//! Logits of every word piece, special pieces included: one line `{"ids": [...], "logits": [[...]]}` a text.
//!
//!     cargo run --release -p nomen-model --example logits -- BUNDLE TEXTS.txt
//!
//! TEXTS.txt has one text a line. `bench/peers/logits.py` prints the same with transformers, and `bench/bundles.py`
//! compares the two.

use std::{
    env,
    error::Error,
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use engine::{Isa, Mode, Packed, Pool, Precision, Tape};
use nomen_model::Bundle;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [bundle, texts] = arguments.as_slice() else {
        return Err("usage: logits BUNDLE TEXTS.txt".into());
    };
    let bundle = Bundle::open(Path::new(bundle))?;
    let texts = fs::read_to_string(texts)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut pool = Pool::default();
    for (index, text) in texts.strip_suffix('\n').unwrap_or(&texts).split('\n').enumerate() {
        let line = line(&bundle, text, &mut pool).map_err(|error| format!("text {}: {error}", index + 1))?;
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// The line of one text, which must fit one window.
fn line(bundle: &Bundle, text: &str, pool: &mut Pool) -> Result<serde_json::Value, Box<dyn Error>> {
    let tokenizer = bundle.codec.tokenizer();
    let template = tokenizer.template();
    let pieces = tokenizer.pieces(text, None)?;
    let ids = [&template.prefix[..], &pieces.ids, &template.suffix].concat();
    let longest = bundle.classifier.shape().max_length();
    if ids.len() > longest {
        return Err(format!("{} pieces are more than the {longest} positions of the encoder", ids.len()).into());
    }
    let packed = Packed::new([ids.len()]);
    let mut tape =
        Tape::new(bundle.classifier.parameters(), pool, &packed, Isa::detect(), Mode::Inference(Precision::F32));
    let logits = bundle.classifier.forward(&mut tape, &ids, packed.positions(), None);
    let (_, tags) = tape.shape(&logits);
    let rows: Vec<&[f32]> = tape.read(&logits).chunks_exact(tags).collect();
    Ok(json!({ "ids": ids, "logits": rows }))
}
