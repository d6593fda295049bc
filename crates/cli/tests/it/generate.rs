//! `nomen generate`: texts that a language model writes, held to what they say.

use std::fs;

use serde_json::{Value, json};

use crate::{
    answer, nomen, refusal, run,
    scripted::{Act, Scripted},
};

const SCHEMA: &str = "[[labels]]\nname = \"DRUG\"\ndefinition = \"A medicine.\"\n";

#[test]
fn texts_are_written_counted_and_can_be_checked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schema.toml"), SCHEMA).unwrap();
    fs::write(folder.path().join("known.jsonl"), "{\"text\":\"Known words about aspirin number one.\"}\n").unwrap();
    let scripted = Scripted::new(|_, before| {
        let text = |words: String, quote: &str| json!({"text": words, "entities": [{"quote": quote, "label": "DRUG", "before": ""}]});
        let good = |at: usize| {
            let name = format!("drugol{before}x{at}");
            text(format!("Case {before} {at} got{before} {name} on{at} day{before}{at}."), &name)
        };
        let bad =
            [text("Known words about aspirin number one!".into(), "aspirin"), text("Lost entirely.".into(), "heparin")];
        let texts: Vec<Value> = (0..3).map(good).chain(bad).collect();
        Act::Say(json!({"texts": texts}).to_string())
    });
    let mut command = nomen();
    command.current_dir(folder.path()).args([
        "generate",
        "--llm",
        &scripted.url,
        "--model",
        "m",
        "--schema",
        "schema.toml",
    ]);
    command.args(["--unlike", "known.jsonl", "--count", "6", "--out", "out.jsonl", "--json"]);
    let summary: Value = serde_json::from_str(&answer(&run(&mut command, b""))).unwrap();
    assert_eq!((&summary["texts"], &summary["entities"]), (&json!(6), &json!({"DRUG": 6})));
    assert!(
        summary["refused"]["duplicate"].as_u64() >= Some(1) && summary["refused"]["ungrounded"].as_u64() >= Some(1)
    );
    let checked = run(nomen().current_dir(folder.path()).args(["check", "out.jsonl"]), b"");
    // Six texts are few, which the check may say; it can read them.
    assert_ne!(checked.status.code(), Some(2), "{checked:?}");
    let asked = scripted.asked().len();
    answer(&run(&mut command, b""));
    assert_eq!(scripted.asked().len(), asked, "the same command asks nothing again");
}

#[test]
fn fewer_texts_than_asked_for_are_told_and_wrong_usage_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schema.toml"), SCHEMA).unwrap();
    let scripted = Scripted::new(|_, _| Act::Say("{\"texts\":[]}".into()));
    let generate = |arguments: &[&str]| {
        let mut command = nomen();
        command.current_dir(folder.path()).args(["generate", "--schema", "schema.toml"]).args(arguments);
        run(&mut command, b"")
    };
    let output = generate(&["--llm", &scripted.url, "--model", "m"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ended early: 3 rounds"));
    assert!(refusal(&generate(&[])).contains("--llm URL"));
    assert!(refusal(&generate(&["--llm", &scripted.url, "--model", "m", "--balance", "CITY=2"])).contains("CITY"));
}

#[test]
fn labelled_texts_are_written_in_other_words() {
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"id":"a","text":"Aspirin helped.","entities":[{"start":0,"end":7,"label":"DRUG"}]}"#;
    fs::write(folder.path().join("train.jsonl"), line).unwrap();
    let scripted =
        Scripted::new(|_, _| Act::Say(json!({"texts": ["What helped was Aspirin itself.", "It helped."]}).to_string()));
    let mut command = nomen();
    command.current_dir(folder.path()).args([
        "generate",
        "--llm",
        &scripted.url,
        "--model",
        "m",
        "--paraphrase",
        "train.jsonl",
    ]);
    let written: Value = serde_json::from_str(answer(&run(&mut command, b"")).trim()).unwrap();
    assert_eq!((&written["id"], &written["meta"]["generated"]["source"]), (&json!("a~1"), &json!("a")));
    assert_eq!(written["entities"][0]["start"], 16);
}
