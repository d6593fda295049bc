//! `nomen gate`: a candidate beside the live model.

use std::{fmt::Write as _, fs, path::PathBuf, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, other_tiny_model, refusal, run, tiny_model};

/// A folder with a test set that is what the tiny model answers, so that it is right everywhere and any other is not.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let mut texts = String::new();
        for number in 0..60 {
            writeln!(texts, "Anna Smith {number} lives in Rome and reads the book of <b>Ærø</b> at {number} o'clock")
                .unwrap();
        }
        let mut tag = nomen();
        tag.args(["tag", "--to", "jsonl", "--model"]).arg(tiny_model());
        fs::write(place.path("test.jsonl"), answer(&run(&mut tag, texts.as_bytes()))).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn gate(&self, candidate: PathBuf, live: PathBuf) -> Command {
        let mut command = nomen();
        command.arg("gate").arg("--model").arg(candidate).arg("--against").arg(live);
        command.arg("--test").arg(self.path("test.jsonl"));
        command
    }
}

#[test]
fn the_same_model_passes_and_a_worse_one_fails_with_exit_code_1_and_shows_what_was_lost() {
    let place = Place::new();
    let passed = run(&mut place.gate(tiny_model(), tiny_model()), b"");
    let table = answer(&passed);
    assert!(table.contains("all (micro)") && table.contains("holds") && table.ends_with("passed\n"), "{table}");
    assert!(String::from_utf8_lossy(&passed.stderr).contains("does not say which texts it was trained on"));

    let page = place.path("out/gate.html");
    let failed = run(place.gate(other_tiny_model(), tiny_model()).arg("--out").arg(&page), b"");
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let table = String::from_utf8(failed.stdout).unwrap();
    assert!(table.contains("FAILS: dropped") && table.contains("failed: all labels on test (dropped)"), "{table}");
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains("<h1>Failed</h1>")
            && page.contains("Right before, wrong now.")
            && page.contains("mark class=\"gold\"")
    );
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"), "texts are no markup");
    // The way back is won.
    assert!(run(&mut place.gate(tiny_model(), other_tiny_model()), b"").status.success());
}

#[test]
fn the_report_is_json_with_both_models_the_policy_and_every_row() {
    let place = Place::new();
    let policy = place.path("gate.toml");
    fs::write(&policy, "max_drop = 1\nmax_drop_label = 1\nmin_support = 5\n[sets.old]\nmax_drop = 1\n").unwrap();
    let mut command = nomen();
    command.arg("gate").arg("--model").arg(other_tiny_model()).arg("--against").arg(tiny_model()).arg("--json");
    command.arg("--policy").arg(&policy).arg("--test").arg(format!("old={}", place.path("test.jsonl").display()));
    let printed = answer(&run(&mut command, b""));
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&report["passed"], &report["policy"]["min_support"]), (&true.into(), &5.into()));
    let set = &report["sets"][0];
    assert_eq!((&set["name"], &set["texts"], &report["data"][0]["name"]), (&"old".into(), &60.into(), &"old".into()));
    let row = &set["rows"][0];
    assert!(row["label"].is_null() && row["before"]["f"] == 1.0 && row["change"].as_f64().unwrap() < 0.0, "{row}");
    assert!(row["interval"]["low"].as_f64().unwrap() <= row["change"].as_f64().unwrap());
    assert!(set["lost"]["cases"][0]["excerpt"].is_string());
    assert_eq!(printed, answer(&run(&mut command, b"")), "the same again says the same");
}

#[test]
fn policies_and_sets_that_cannot_be_are_refused_before_a_model_is_opened() {
    let place = Place::new();
    let policy = place.path("gate.toml");
    fs::write(&policy, "\nmax_drob = 1\n").unwrap();
    let said = refusal(&run(place.gate("no-model".into(), "no-model".into()).arg("--policy").arg(&policy), b""));
    assert!(said.contains("gate.toml:2: unknown key `max_drob`, did you mean `max_drop`?"), "{said}");
    let twice = place.path("test.jsonl");
    let said = refusal(&run(place.gate("no-model".into(), "no-model".into()).arg("--test").arg(twice), b""));
    assert!(said.contains("two test sets are called \"test\"") && said.contains("old=FILE"), "{said}");
    fs::write(&policy, "[labels.PERS]\nmax_drop = 0\n").unwrap();
    let said = refusal(&run(place.gate(tiny_model(), tiny_model()).arg("--policy").arg(&policy), b""));
    assert!(said.contains("did you mean `PER`?"), "{said}");
}
