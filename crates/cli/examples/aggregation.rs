//! What every aggregation strategy answers: one line `{"none": [...], "simple": [...], ...}` a text, each entity as
//! `[name, score, word, start, end]` in code points, with its index behind it for `none`.
//!
//!     cargo run --release -p nomen --example aggregation -- BUNDLE TEXTS.txt
//!
//! TEXTS.txt has one text a line. `bench/aggregation.py` compares the answers with those of transformers' pipeline.

use std::{
    env,
    error::Error,
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use model::{Bundle, Workers};
use schema::offset::{Offsets, Unit};
use serde_json::{Map, Value, json};
use serve::{
    Encoded, Piece, Tagger,
    aggregation::{Group, Strategy, aggregate},
};

#[path = "../src/serving/tagger.rs"]
mod tagger;

/// Texts that are judged at once.
const TOGETHER: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [bundle, texts] = arguments.as_slice() else {
        return Err("usage: aggregation BUNDLE TEXTS.txt".into());
    };
    let tagger = tagger::ModelTagger::new(Bundle::open(Path::new(bundle))?.into_recognizer(Workers::all()));
    let texts = fs::read_to_string(texts)?;
    let texts: Vec<&str> = texts.strip_suffix('\n').unwrap_or(&texts).split('\n').collect();
    let mut out = BufWriter::new(io::stdout().lock());
    for batch in texts.chunks(TOGETHER) {
        let encoded: Vec<Encoded> = batch.iter().map(|text| tagger.encode(text)).collect::<Result<_, _>>()?;
        let judged = tagger.pieces(&encoded.iter().collect::<Vec<_>>())?;
        for (text, pieces) in batch.iter().zip(judged) {
            writeln!(out, "{}", Value::Object(answers(&tagger, text, &pieces)))?;
        }
    }
    Ok(out.flush()?)
}

fn answers(tagger: &tagger::ModelTagger, text: &str, pieces: &[Piece]) -> Map<String, Value> {
    let offsets = Offsets::new(text, Unit::CodePoints);
    let row = |Group { name, score, word, range, index }: Group| {
        let (start, end) = (offsets.from_byte(range.start), offsets.from_byte(range.end));
        match index {
            Some(index) => json!([name, score, word, start, end, index]),
            None => json!([name, score, word, start, end]),
        }
    };
    let ignore = ["O".to_owned()];
    let answer = |strategy: Strategy| {
        let groups = aggregate(strategy, pieces, tagger.tags(), &ignore, |tokens| tagger.words(tokens));
        (strategy.name().to_owned(), groups.into_iter().map(row).collect())
    };
    Strategy::ALL.into_iter().map(answer).collect()
}
