//! `nomen check`: findings on annotated text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

const SOUND: &str = "{\"text\":\"Anna in Rome\",\"entities\":[{\"start\":0,\"end\":4,\"label\":\"PER\"}]}\n";
const SPACED: &str =
    "{\"id\":\"d2\",\"text\":\"😀 Bob  left\",\"entities\":[{\"start\":2,\"end\":6,\"label\":\"PER\"}]}\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn check(files: &[PathBuf]) -> Command {
    let mut command = nomen();
    command.arg("check").args(files);
    command
}

/// What a command prints that found something.
#[track_caller]
fn findings(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn sound_data_exits_with_0_and_errors_and_warnings_with_1() {
    let lines: String = (0..60).map(|n| SOUND.replace("Anna", &format!("Ann{n:02}")).replace(":4,", ":5,")).collect();
    let folder = folder(&[("sound.jsonl", &lines), ("spaced.jsonl", SPACED)]);
    let path = |name: &str| folder.path().join(name);
    let printed = answer(&run(&mut check(&[path("sound.jsonl")]), b""));
    assert!(printed.contains("nothing found"), "{printed}");

    let printed = findings(&run(check(&[path("spaced.jsonl")]).args(["--select", "q004"]), b""));
    assert!(printed.starts_with("Q004 space-at-edge: 1 warning\n"), "{printed}");
    assert!(printed.contains("spaced.jsonl:1 (d2): warning: \"Bob \" PER ends with white space"), "{printed}");
    assert!(printed.contains("😀 [Bob ]PER left"), "{printed}");
    assert!(printed.contains("nomen check FILE --fix --out FIXED"), "{printed}");

    let ignored = run(check(&[path("spaced.jsonl")]).args(["--select", "Q004", "--ignore", "space-at-edge"]), b"");
    assert!(answer(&ignored).contains("nothing found"));
    // A broken file is looked at as far as it can be read.
    fs::write(path("broken.jsonl"), format!("{{\n{SPACED}")).unwrap();
    let printed = findings(&run(check(&[path("broken.jsonl")]).args(["--ignore", "Q013"]), b""));
    assert!(printed.contains("broken.jsonl:1: error: malformed JSON") && printed.contains("Q004"), "{printed}");
}

#[test]
fn json_has_every_finding_with_its_place_in_code_points() {
    let folder = folder(&[("train.jsonl", SPACED)]);
    let output = run(check(&[folder.path().join("train.jsonl")]).args(["--json", "--select", "Q004"]), b"");
    let json: Value = serde_json::from_str(&findings(&output)).unwrap();
    let finding = &json["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&Value::from("Q004"), &Value::from("warning")));
    let place = &finding["places"][0];
    assert_eq!([&place["start"], &place["end"], &place["line"], &place["document"]], [2, 6, 1, 1]);
    assert_eq!([&place["text"], &place["before"], &place["after"], &place["id"]], ["Bob ", "😀 ", " left", "d2"]);
    assert_eq!((&json["files"][0]["part"], &json["warnings"]), (&Value::from("train"), &Value::from(1)));
}

#[test]
fn fix_writes_what_it_mended_says_so_and_leaves_the_original() {
    let folder = folder(&[("data.jsonl", &format!("{SPACED}{SOUND}{SOUND}{{\"text\":\" \",\"entities\":[]}}\n"))]);
    let [data, fixed] = ["data.jsonl", "fixed.jsonl"].map(|name| folder.path().join(name));
    let before = fs::read(&data).unwrap();
    let output = run(check(std::slice::from_ref(&data)).args(["--fix", "--out"]).arg(&fixed), b"");
    findings(&output);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("1 entity trimmed: line 1"), "{told}");
    assert!(told.contains("1 repeated text dropped: line 3 (as line 2)"), "{told}");
    assert!(told.contains("1 empty text dropped: line 4") && told.contains("2 of 4 texts written as jsonl"), "{told}");
    assert_eq!(fs::read(&data).unwrap(), before);
    let written = fs::read_to_string(&fixed).unwrap();
    assert!(written.contains(r#""start":2,"end":5"#) && written.lines().count() == 2, "{written}");
    let again = run(check(std::slice::from_ref(&fixed)).args(["--select", "Q004,Q015,Q019"]), b"");
    assert!(answer(&again).contains("nothing found"));
}

#[test]
fn fix_refuses_what_would_lose_something() {
    let folder = folder(&[("broken.jsonl", &format!("{{\n{SOUND}")), ("data.jsonl", SOUND)]);
    let [broken, data, out] = ["broken.jsonl", "data.jsonl", "out.jsonl"].map(|name| folder.path().join(name));
    let output = run(check(&[broken]).args(["--fix", "--out"]).arg(&out), b"");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("not everything can be read (Q001: 1)") && !out.exists(), "{told}");
    let message = refusal(&run(check(std::slice::from_ref(&data)).args(["--fix", "--out"]).arg(&data), b""));
    assert!(message.contains("is the file itself"), "{message}");
    let message = refusal(&run(check(&[data.clone(), out.clone()]).args(["--fix", "--out"]).arg(&out), b""));
    assert!(message.contains("one file at a time"), "{message}");
    assert_eq!(fs::read_to_string(data).unwrap(), SOUND);
}

#[test]
fn parts_come_from_names_or_options_and_leaks_are_told_of_the_later_part() {
    let line = "{\"text\":\"Anna went to the market in Rome today\",\"entities\":[]}\n";
    let folder = folder(&[("a.jsonl", line), ("my-test.jsonl", line)]);
    let [a, test] = ["a.jsonl", "my-test.jsonl"].map(|name| folder.path().join(name));
    let output = run(check(&[test]).args(["--json", "--select", "leak", "--train"]).arg(a), b"");
    let json: Value = serde_json::from_str(&findings(&output)).unwrap();
    let parts: Vec<&Value> = json["files"].as_array().unwrap().iter().map(|file| &file["part"]).collect();
    assert_eq!(parts, ["train", "test"]);
    let place = json["findings"][0]["places"][0]["file"].as_str().unwrap();
    assert!(place.ends_with("my-test.jsonl"), "{place}");
}

#[test]
fn the_schema_says_which_labels_there_are() {
    let folder = folder(&[
        ("data.jsonl", SOUND),
        ("schema.toml", "[[labels]]\nname = \"Per\"\ndefinition = \"A person\"\n"),
        ("empty.toml", ""),
    ]);
    let data = folder.path().join("data.jsonl");
    let with = |schema: &str| {
        run(
            check(std::slice::from_ref(&data)).args(["--select", "Q011", "--schema"]).arg(folder.path().join(schema)),
            b"",
        )
    };
    let printed = findings(&with("schema.toml"));
    assert!(printed.contains("`PER` is not in the schema and is used once; `Per` may be meant"), "{printed}");
    assert!(refusal(&with("empty.toml")).contains("there is no label in it"));
    assert!(refusal(&with("absent.toml")).contains("absent.toml"));
}

#[test]
fn entities_that_the_tokens_of_a_base_or_model_cannot_express_are_found() {
    let cut = SOUND.replace(":0,", ":1,");
    let folder = folder(&[("data.jsonl", &cut)]);
    let data = folder.path().join("data.jsonl");
    let base = format!("path:{}", tiny_model().display());
    for (option, value) in [("--model", tiny_model().display().to_string()), ("--base", base)] {
        let output = run(check(std::slice::from_ref(&data)).args(["--select", "Q025", option, &value]), b"");
        let printed = findings(&output);
        assert!(printed.contains("\"nna\" PER: it does not start and end where words or pieces do"), "{printed}");
    }
}

/// Sixty texts in which names are persons, and one in which `book` is.
fn with_an_error() -> String {
    let line = |index: usize| {
        let name = ["Anna", "Bo", "Ærø", "Carl"][index % 4];
        let text = format!("{index} {name} reads a book");
        let (start, end) = match index {
            41 => (text.chars().count() - 4, text.chars().count()),
            _ => (index.to_string().len() + 1, index.to_string().len() + 1 + name.chars().count()),
        };
        format!("{{\"text\":\"{text}\",\"entities\":[{{\"start\":{start},\"end\":{end},\"label\":\"PER\"}}]}}\n")
    };
    (0..60).map(line).collect()
}

#[test]
fn models_of_folds_find_label_errors_and_rank_them() {
    let folder = folder(&[("data.jsonl", &with_an_error())]);
    let data = folder.path().join("data.jsonl");
    let model = format!("path:{}", tiny_model().display());
    let asked = |more: &[&str]| {
        let mut command = check(std::slice::from_ref(&data));
        command.args(["--model", &model, "--folds", "3", "--select", "Q026"]);
        command.args(["--set", "learning_rate=5e-3", "--set", "num_train_epochs=20", "--set", "threads=2"]).args(more);
        run(&mut command, b"")
    };
    let output = asked(&["--json"]);
    let json: Value = serde_json::from_str(&findings(&output)).unwrap();
    let found = json["findings"].as_array().unwrap();
    let confidence = |finding: &Value| finding["suggestion"]["confidence"].as_f64().unwrap();
    assert!(found.is_sorted_by(|a, b| confidence(a) >= confidence(b)), "{json}");
    assert!(found.iter().all(|finding| finding["code"] == "Q026" && finding["suggestion"]["kind"].is_string()));
    let of_text: Vec<&Value> = found.iter().take(4).filter(|finding| finding["places"][0]["document"] == 42).collect();
    let kinds: Vec<&Value> = of_text.iter().map(|finding| &finding["suggestion"]["kind"]).collect();
    assert!(kinds.contains(&&Value::from("spurious-entity")), "{json}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("fold 3/3: 40 texts to learn from, 20 to judge"), "{told}");

    let page = folder.path().join("page.html");
    let printed = findings(&asked(&["--limit", "1", "--report", &page.display().to_string()]));
    assert!(printed.contains("Q026 label-error") && printed.contains("spurious-entity, confidence "), "{printed}");
    assert!(found.len() == 1 || printed.contains(&format!("and {} more (--limit N", found.len() - 1)), "{printed}");
    assert!(fs::read_to_string(page).unwrap().contains("Q026 label-error"));
}

#[test]
fn a_trained_model_judges_what_it_has_not_seen_without_training() {
    let folder = folder(&[("data.jsonl", SOUND)]);
    let data = folder.path().join("data.jsonl");
    let model = tiny_model().display().to_string();
    let judge = |more: &[&str]| {
        run(check(std::slice::from_ref(&data)).args(["--select", "Q026", "--model", &model]).args(more), b"")
    };
    let output = judge(&[]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("does not say which texts it was trained on"), "{told}");
    assert!(refusal(&judge(&["--folds", "3"])).contains("--model names a trained one"));
    assert!(refusal(&judge(&["--set", "seed=1"])).contains("--model names a trained one"));
}

#[test]
fn the_page_shows_markup_as_text_and_fetches_nothing() {
    let hostile = r#"{"text":"<script>alert(1)</script> \u202e","entities":[{"start":0,"end":1,"label":"<b>"}]}"#;
    let folder = folder(&[("a<b>.jsonl", hostile)]);
    let page = folder.path().join("page.html");
    findings(&run(check(&[folder.path().join("a<b>.jsonl")]).arg("--report").arg(&page), b""));
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains('\u{202E}'), "{html}");
    assert!(html.contains("&lt;b&gt;") && html.contains("Q013 few-examples"), "{html}");
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains(" src="));
}

#[test]
fn an_unknown_check_and_an_unknown_format_say_what_there_is() {
    let output = run(check(&[PathBuf::from("x.jsonl")]).args(["--select", "Q999"]), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("nomen check --list"));
    let list = answer(&run(nomen().args(["check", "--list"]), b""));
    assert!(list.lines().count() == 26 && list.starts_with("Q001  unreadable"), "{list}");
    assert!(refusal(&run(&mut check(&[Path::new("no-such-file.jsonl").into()]), b"")).contains("no-such-file.jsonl"));
}
