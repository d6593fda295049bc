//! `nomen prepare`: texts cleaned and cut.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run};

fn folder(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

fn prepare(folder: &Path, source: &str, target: &str) -> Command {
    let mut command = nomen();
    command.current_dir(folder).args(["prepare", source, target]);
    command
}

fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn entities_move_with_the_text_and_each_step_says_what_it_changed() {
    let folder = folder(
        "in.jsonl",
        "{\"id\":\"a\",\"text\":\"\\ufeffSee  https://x.org, e\\u0301 Rome\",\"entities\":[{\"start\":24,\"end\":28,\"label\":\"LOC\"}]}\n{\"text\":\"plain\",\"entities\":[]}\n",
    );
    let steps = ["--normalize", "nfc", "--clean", "--mask", "urls,emails", "--lower", "--json"];
    let printed = answer(&run(prepare(folder.path(), "in.jsonl", "out.jsonl").args(steps), b""));
    let answer: Value = serde_json::from_str(&printed).unwrap();
    let out = lines(folder.path(), "out.jsonl");
    assert_eq!(out[0]["text"], "see <URL>, é rome".to_lowercase());
    assert_eq!(out[0]["entities"], json!([{"start": 13, "end": 17, "label": "LOC"}]));
    assert_eq!(out[1]["text"], "plain");
    assert_eq!((&answer["documents"], &answer["written"], &answer["dropped"]), (&json!(2), &json!(2), &json!(0)));
    let places: Vec<_> =
        answer["steps"].as_array().unwrap().iter().map(|step| step["places"].as_u64().unwrap()).collect();
    assert_eq!(places, [1, 1, 1, 0, 1, 0, 5]);
}

#[test]
fn an_entity_without_a_place_is_refused_by_name_or_left_out_and_listed() {
    let text = r#"{"id":"d7","text":"at www.rome.it now","entities":[{"start":7,"end":11,"label":"LOC"}]}"#;
    let folder = folder("in.jsonl", text);
    let message = refusal(&run(prepare(folder.path(), "in.jsonl", "out.jsonl").args(["--mask", "urls"]), b""));
    assert!(message.contains("text 1 (d7): \"rome\" LOC at 7..11") && message.contains("--drop-changed"), "{message}");
    assert!(!folder.path().join("out.jsonl").exists());
    let asked = ["--mask", "urls", "--drop-changed"];
    let told = answer(&run(prepare(folder.path(), "in.jsonl", "out.jsonl").args(asked), b""));
    assert!(told.contains("left out: 1 entity has no place") && told.contains("\"rome\""), "{told}");
    let out = lines(folder.path(), "out.jsonl");
    assert_eq!((&out[0]["text"], &out[0]["entities"]), (&json!("at <URL> now"), &json!([])));
    assert_eq!(out[0]["complete"], false, "the words of the entity are no negatives");
}

#[test]
fn lines_that_texts_share_are_removed_and_listed() {
    let texts = ["Menu\\nAnna", "Menu\\nBo", "Menu\\nCarl", "Dora"].map(|text| format!("{{\"text\":\"{text}\"}}\n"));
    let folder = folder("in.jsonl", &texts.concat());
    let asked = ["--boilerplate", "0.5"];
    let told = answer(&run(prepare(folder.path(), "in.jsonl", "out.jsonl").args(asked), b""));
    assert!(told.contains("removed 3 times: \"Menu\""), "{told}");
    let texts: Vec<_> = lines(folder.path(), "out.jsonl").iter().map(|line| line["text"].clone()).collect();
    assert_eq!(texts, ["Anna", "Bo", "Carl", "Dora"]);
    let message = refusal(&run(prepare(folder.path(), "-", "-").args(asked), b"a\n"));
    assert!(message.contains("name a file"), "{message}");
}

#[test]
fn pieces_say_where_they_come_from() {
    let text = r#"{"id":"d7","text":"Ærø is nice. It is small.","entities":[{"start":0,"end":3,"label":"LOC"}],"meta":{"source":"web"}}"#;
    let folder = folder("in.jsonl", text);
    let told = answer(&run(prepare(folder.path(), "in.jsonl", "out.jsonl").args(["--segment", "sentences"]), b""));
    assert!(told.contains("1 texts read, 2 sentences with 1 entities written"), "{told}");
    let out = lines(folder.path(), "out.jsonl");
    assert_eq!(out[1]["text"], "It is small.");
    assert_eq!(out[1]["meta"], json!({"source": "web", "parent": "d7", "start": 13}));
    let again = refusal(&run(prepare(folder.path(), "out.jsonl", "x.jsonl").args(["--segment", "sentences"]), b""));
    assert!(again.contains("`parent`"), "{again}");
}

#[test]
fn a_stream_goes_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        run(prepare(folder.path(), "-", "-").args(["--clean", "--from", "text", "--to", "text"]), b"a  b\n\nc \n");
    assert_eq!(answer(&output), "a b\n\nc\n");
    assert!(String::from_utf8(output.stderr).unwrap().contains("3 texts read, 3 texts with 0 entities written"));
}

#[test]
fn nothing_to_do_and_targets_in_the_way_are_refused() {
    let folder = folder("in.txt", "a\n");
    fs::write(folder.path().join("there.jsonl"), "kept").unwrap();
    for (target, asked, expected) in [
        ("out.jsonl", &[][..], "name a step"),
        ("there.jsonl", &["--clean"], "--force"),
        ("in.txt", &["--clean", "--force"], "cannot be written at the same time"),
        ("out.xyz", &["--clean"], "--to"),
        ("-", &["--clean", "--json"], "name a file for OUT"),
    ] {
        let message = refusal(&run(prepare(folder.path(), "in.txt", target).args(asked), b""));
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("there.jsonl")).unwrap(), "kept");
    assert_eq!(fs::read_to_string(folder.path().join("in.txt")).unwrap(), "a\n");
}

#[test]
fn pieces_are_put_together_again_with_what_was_annotated_since() {
    let texts = "{\"id\":\"d7\",\"text\":\"Ærø is nice.\\nIt is small.\",\"meta\":{\"source\":\"web\"},\"complete\":true,\"entities\":[]}\n{\"id\":\"d8\",\"text\":\"One. Two.\",\"entities\":[]}\n";
    let folder = folder("in.jsonl", texts);
    answer(&run(prepare(folder.path(), "in.jsonl", "cut.jsonl").args(["--segment", "sentences"]), b""));
    let cut = fs::read_to_string(folder.path().join("cut.jsonl")).unwrap();
    let annotated = cut.replacen("\"entities\":[]", "\"entities\":[{\"start\":0,\"end\":3,\"label\":\"LOC\"}]", 2);
    fs::write(folder.path().join("cut.jsonl"), &annotated).unwrap();
    let told = answer(&run(prepare(folder.path(), "cut.jsonl", "out.jsonl").args(["--join", "--json"]), b""));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told, json!({"pieces": 4, "documents": 2, "entities": 2, "filled": 0}));
    let out = lines(folder.path(), "out.jsonl");
    assert_eq!((&out[0]["text"], &out[0]["id"]), (&json!("Ærø is nice.\nIt is small."), &json!("d7")));
    assert_eq!(out[0]["meta"], json!({"source": "web"}));
    let starts: Vec<_> = out[0]["entities"].as_array().unwrap().iter().map(|entity| &entity["start"]).collect();
    assert_eq!(starts, [0, 13]);

    let missing: Vec<&str> = annotated.lines().skip(1).collect();
    fs::write(folder.path().join("cut.jsonl"), missing.join("\n")).unwrap();
    let message = refusal(&run(prepare(folder.path(), "cut.jsonl", "x.jsonl").arg("--join"), b""));
    assert!(
        message.contains("cut.jsonl: text 1 (piece 1 of the file)") && message.contains("piece 1 is missing"),
        "{message}"
    );
    assert!(!folder.path().join("x.jsonl").exists());
    let message = refusal(&run(prepare(folder.path(), "in.jsonl", "x.jsonl").arg("--join"), b""));
    assert!(message.contains("`parent`"), "{message}");
}
