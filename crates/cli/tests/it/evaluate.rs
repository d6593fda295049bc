//! `nomen evaluate`: scores of a model on annotated text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

fn evaluate(data: &Path) -> Command {
    let mut command = nomen();
    command.arg("evaluate").arg("--model").arg(tiny_model()).arg("--data").arg(data);
    command
}

fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// The model's own answers as gold, so that every score is known.
fn own_answers() -> (TempDir, PathBuf) {
    let texts = "Anna Smith lives in Rome\nThe 😀 book of Ærø\n";
    let mut tag = nomen();
    tag.args(["tag", "--to", "jsonl", "--model"]).arg(tiny_model());
    file("own.jsonl", &answer(&run(&mut tag, texts.as_bytes())))
}

#[test]
fn in_8_bits_the_model_is_another_one_that_scores_nearly_the_same() {
    let (_folder, own) = own_answers();
    let printed = answer(&run(evaluate(&own).args(["--json", "--precision", "int8"]), b""));
    let scores: Value = serde_json::from_str(&printed).unwrap();
    assert!(scores["ents_f"].as_f64().unwrap() >= 0.5, "{printed}");
}

#[test]
fn the_models_own_answers_score_1_with_the_keys_of_spacy() {
    let (_folder, own) = own_answers();
    let printed = answer(&run(evaluate(&own).arg("--json"), b""));
    let scores: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!([&scores["ents_p"], &scores["ents_r"], &scores["ents_f"]], [1.0; 3]);
    assert_eq!(scores["ents_per_type"]["PER"]["f"], 1.0);
    assert_eq!((&scores["texts"], &scores["unreachable"]), (&json!(2), &json!([])));
    assert_eq!(scores["data"], own.display().to_string());
}

#[test]
fn labels_are_judged_alone_and_only_known_ones_can_be_named() {
    let gold =
        r#"{"text":"Anna in Rome","entities":[{"start":0,"end":4,"label":"PER"},{"start":8,"end":12,"label":"LOC"}]}"#;
    let (_folder, data) = file("gold.jsonl", gold);
    let printed = answer(&run(evaluate(&data).args(["--json", "--labels", "LOC, PER"]), b""));
    let scores: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(scores["labels"], json!(["LOC", "PER"]));
    assert_eq!(scores["ents_per_type"].as_object().unwrap().len(), 2, "creative-work is not judged");
    let message = refusal(&run(evaluate(&data).args(["--labels", "LOC,Person"]), b""));
    assert!(message.contains("\"Person\"") && message.contains("LOC, PER, creative-work"), "{message}");
}

#[test]
fn entities_that_the_model_cannot_express_are_counted_and_shown() {
    let gold = r#"{"id":"d7","text":"Anna in Rome","entities":[{"start":1,"end":4,"label":"PER"},{"start":8,"end":12,"label":"LOC"}]}"#;
    let (_folder, data) = file("gold.jsonl", gold);
    let output = run(&mut evaluate(&data), b"");
    let table = answer(&output);
    assert!(table.contains("unreachable: 2 of 2"), "{table}");
    assert!(table.contains("d7: \"nna\" PER at 1..4"), "{table}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("the model does not know its label") && told.contains("LOC"), "{told}");
}

#[test]
fn what_was_detected_and_repaired_goes_to_standard_error() {
    let (_folder, data) = file("gold.conll", "Anna\tB-PER\nSmith\tI-PER\n\nRome\tI-PER\nis\tO\n\n");
    let output = run(evaluate(&data).arg("--json"), b"");
    let scores: Value = serde_json::from_str(&answer(&output)).unwrap();
    assert_eq!(scores["ents_per_type"]["PER"]["support"], 2);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("scheme IOB2") && told.contains("line 4: I-PER taken as B-PER"), "{told}");
}

#[test]
fn a_file_without_annotations_or_with_broken_lines_is_refused() {
    let (_folder, data) = file("plain.txt", "Anna in Rome\n");
    let message = refusal(&run(&mut evaluate(&data), b""));
    assert!(message.contains("nobody annotated"), "{message}");

    let (_folder, data) = file("broken.jsonl", "{\"text\":\"a\",\"entities\":[]}\n{\n{\"text\":\"b\"}\n{\"txt\":1}\n");
    let output = run(&mut evaluate(&data), b"");
    let message = refusal(&output);
    assert!(message.contains("broken.jsonl:2:") && message.contains("broken.jsonl:4:"), "{message}");
    assert!(output.stdout.is_empty());
}

#[test]
fn slices_show_each_value_and_the_texts_without_the_field() {
    let row = |text: &str, meta: &str| {
        format!("{{\"text\":\"{text}\",\"entities\":[{{\"start\":0,\"end\":4,\"label\":\"PER\"}}],\"meta\":{meta}}}\n")
    };
    let rows = [row("Anna in Rome", r#"{"source":"web"}"#), row("Anna", r#"{"source":"mail"}"#), row("Anna", "{}")];
    let (_folder, data) = file("gold.jsonl", &rows.concat());
    let asked = ["--slice", "meta.source", "--slice", "meta.year"];
    let printed = answer(&run(evaluate(&data).args(asked).arg("--json"), b""));
    let scores: Value = serde_json::from_str(&printed).unwrap();
    let slices = scores["slices"].as_array().unwrap();
    assert_eq!(slices.iter().map(|slices| slices["key"].clone()).collect::<Vec<_>>(), ["source", "year"]);
    let texts: u64 = slices[0]["slices"].as_array().unwrap().iter().map(|slice| slice["texts"].as_u64().unwrap()).sum();
    assert_eq!((texts, slices[0]["slices"].as_array().unwrap().len()), (3, 3));
    assert_eq!(slices[1]["slices"].as_array().unwrap().len(), 1);
    let output = run(evaluate(&data).args(asked), b"");
    let table = answer(&output);
    assert!(table.contains("by meta.source, the worst first") && table.contains("(missing)"), "{table}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("no text has the field meta.year"));
    assert_eq!(run(evaluate(&data).args(["--slice", "source"]), b"").status.code(), Some(2));
}

#[test]
fn other_names_take_the_place_of_the_entities_of_a_label() {
    let (_folder, own) = own_answers();
    let (_names, names) =
        file("names.toml", "[groups.PER]\ndanish = [\"Søren\", \"Mette Friis\"]\nenglish = [\"John\"]\n");
    let printed = answer(&run(evaluate(&own).arg("--json").arg("--counterfactual").arg(&names), b""));
    let scores: Value = serde_json::from_str(&printed).unwrap();
    let outcome = &scores["counterfactual"][0];
    assert_eq!((&outcome["label"], &outcome["recall"]), (&json!("PER"), &json!(1.0)));
    for group in outcome["groups"].as_array().unwrap() {
        let [recall, change] = [&group["recall"], &group["change"]].map(|figure| figure.as_f64().unwrap());
        assert!((recall - 1.0 - change).abs() < 1e-9 && group["change_interval"]["low"].as_f64().unwrap() <= change);
    }
    let table = answer(&run(evaluate(&own).arg("--counterfactual").arg(&names), b""));
    assert!(table.contains("recall of PER with other names") && table.contains("danish"), "{table}");

    for (text, expected) in [
        ("[groups.ORG]\na = [\"x\"]\n", "groups.ORG: the data has no entity"),
        ("[groups.PER]\na = []\n", "`groups.PER.a` is empty"),
        ("[groups.PER\n", "names.toml"),
    ] {
        let (_names, names) = file("names.toml", text);
        let message = refusal(&run(evaluate(&own).arg("--counterfactual").arg(&names), b""));
        assert!(message.contains(expected), "{message}");
    }
}
