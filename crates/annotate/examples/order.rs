//! Orders texts for annotation: lines of `{"text", "entities": [{"score"}], "annotated"}` on standard input, the positions
//! of those to annotate next on standard output, with their reasons, one object a line.
//!
//!     order ORDER COUNT SEED < texts.jsonl
//!
//! `bench/active_learning.py` measures with it what each order is worth.

use std::io::{self, BufRead as _, Write as _};

use nomen_annotate::queue::{Candidate, Measure, Order, rank};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [order, count, seed] = words.as_slice() else {
        return Err("usage: order random|uncertainty|diversity|mixed COUNT SEED < texts.jsonl".into());
    };
    let (order, count, seed): (Order, usize, u64) = (order.parse()?, count.parse()?, seed.parse()?);
    let (mut pool, mut annotated) = (Vec::new(), Vec::new());
    for (line, number) in io::stdin().lock().lines().zip(0usize..) {
        let row: Value = serde_json::from_str(&line?)?;
        let text = row["text"].as_str().ok_or_else(|| format!("line {}: there is no `text`", number + 1))?.to_owned();
        if row["annotated"].as_bool().unwrap_or(false) {
            annotated.push(text);
        } else {
            pool.push((number, text, doubt(&row)));
        }
    }
    let candidates: Vec<Candidate<'_>> =
        pool.iter().map(|(_, text, uncertainty)| Candidate { text, uncertainty: *uncertainty }).collect();
    let annotated: Vec<&str> = annotated.iter().map(String::as_str).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for ranked in rank(order, &candidates, &annotated, count, seed) {
        let row = json!({"position": pool[ranked.position].0, "priority": ranked.priority, "reason": ranked.reason});
        writeln!(out, "{row}")?;
    }
    out.flush()?;
    Ok(())
}

/// That of the most doubtful entity.
fn doubt(row: &Value) -> f64 {
    let scores = row["entities"].as_array().into_iter().flatten().filter_map(|entity| entity["score"].as_f64());
    scores.map(|score| Measure::Margin.of(&[score as f32, 1.0 - score as f32])).fold(0.0, f64::max)
}
