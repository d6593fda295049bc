//! What only a base model that has read something can show.

use std::path::Path;

use serde_json::Value;

use crate::{answer, nomen, run};

#[test]
#[ignore = "fetches the base model minilm (90 MB) and trains it for some minutes"]
fn minilm_learns_from_the_example_and_finds_what_was_planted_in_a_long_text() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tech");
    let folder = tempfile::tempdir().unwrap();
    let mut train = nomen();
    train.arg("train");
    for name in ["train", "dev", "test"] {
        train.arg(format!("--{name}")).arg(example.join(format!("{name}.jsonl")));
    }
    train.args(["--base", "minilm", "--set", "max_steps=250", "--json", "--out"]).arg(folder.path());
    let judged: Value = serde_json::from_str(&answer(&run(&mut train, b""))).unwrap();
    let score = judged["test"]["ents_f"].as_f64().unwrap();
    assert!(score > 0.4, "F1 on test is {score}");

    let filler = "The meeting went on for hours and nobody could remember what the first question had been. ";
    let planted = "The server is written in Rust. ";
    let many = |count| filler.repeat(count);
    let text = [planted, &many(560), planted, &many(560), planted].concat();
    assert!(text.chars().count() > 100_000);
    let mut tag = nomen();
    tag.args(["tag", "--json", "--model"]).arg(folder.path().join("model-best"));
    let tagged: Value = serde_json::from_str(&answer(&run(&mut tag, text.as_bytes()))).unwrap();
    let found: Vec<u64> = tagged["entities"].as_array().unwrap().iter().map(|e| e["start"].as_u64().unwrap()).collect();
    for (start, _) in text.match_indices("Rust") {
        assert!(found.contains(&(start as u64)), "nothing at {start}: {found:?}");
    }
}
