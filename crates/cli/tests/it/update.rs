//! `nomen update`, on a tiny base whose weights are random: what is learnt is nothing, but everything around it is as with a real
//! model.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

/// A folder with a model of the label PER and with new texts.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("old.jsonl", &lines(0..40, &[("Anna", "PER")]));
        place.write("old-dev.jsonl", &lines(50..60, &[("Anna", "PER")]));
        place.write("new.jsonl", &lines(100..120, &[("Rome", "LOC")]));
        place.write("new-dev.jsonl", &lines(200..210, &[("Rome", "LOC")]));
        let mut train = nomen();
        train.arg("train").arg("--train").arg(place.path("old.jsonl")).arg("--dev").arg(place.path("old-dev.jsonl"));
        train.arg("--base").arg(format!("path:{}", tiny_model().display())).arg("--out").arg(place.path("before"));
        answer(&run(train.args(["--set", "threads=2", "--set", "max_steps=4"]), b""));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Updates the model into a folder and gives what was told on the way.
    fn update(&self, out: &str, more: &[&str]) -> String {
        let output = run(&mut self.command(out, more), b"");
        answer(&output);
        String::from_utf8(output.stderr).unwrap()
    }

    fn command(&self, out: &str, more: &[&str]) -> std::process::Command {
        let mut command = nomen();
        command.arg("update").arg("--model").arg(self.path("before/model-best")).current_dir(self.0.path());
        command.args(["--train", "new.jsonl", "--dev", "new-dev.jsonl", "--out", out]);
        command.args(["--set", "threads=2", "--set", "max_steps=4"]).args(more);
        command
    }

    fn labels(&self, model: &str) -> Vec<String> {
        let manifest = manifest(&self.path(model));
        manifest["schema"].as_array().unwrap().iter().map(|label| label["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn manifest(model: &Path) -> Value {
    serde_json::from_slice(&fs::read(model.join("nomen.json")).unwrap()).unwrap()
}

/// Texts that have a person and a place, of which the named ones are annotated.
fn lines(range: std::ops::Range<usize>, annotated: &[(&str, &str)]) -> String {
    let line = |index: usize| {
        let text = format!("{index} Anna went to Rome");
        let entity = |(name, label): &(&str, &str)| {
            let start = text.find(name).unwrap();
            format!("{{\"start\":{start},\"end\":{},\"label\":\"{label}\"}}", start + name.len())
        };
        let entities: Vec<String> = annotated.iter().map(entity).collect();
        format!("{{\"text\":\"{text}\",\"entities\":[{}]}}\n", entities.join(","))
    };
    range.map(line).collect()
}

#[test]
fn an_updated_model_knows_both_labels_and_what_it_was_made_from() {
    let place = Place::new();
    let told = place.update("after", &["--replay", "old.jsonl"]);
    for part in [
        "searched for LOC",
        "what is known is kept by partial,rehearsal,distillation,l2 (--with says otherwise)",
        "36 of 36 old texts are learned again",
        "the head of the base is kept for PER",
        "; old dev F1 ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(fs::read_to_string(place.path("after/run.toml")).unwrap().contains("l2_sp = 6.0"));
    assert_eq!(place.labels("after/model-best"), ["PER", "LOC"]);
    let manifest = manifest(&place.path("after/model-best"));
    for (set, texts) in [("train", 20), ("replay", 36), ("dev", 10), ("old dev", 4)] {
        assert_eq!(manifest["data"][set]["texts"], texts, "{set}");
    }
    let events = fs::read_to_string(place.path("after/events.jsonl")).unwrap();
    assert!(events.lines().any(|line| line.contains("\"evaluation\"") && line.contains("\"old\"")), "{events}");
    // Both the texts of the update and those of the model before are texts that it has seen.
    for data in ["new.jsonl", "old.jsonl"] {
        let mut evaluate = nomen();
        evaluate.args(["evaluate", "--model"]).arg(place.path("after/model-best")).arg("--data").arg(place.path(data));
        assert!(refusal(&run(&mut evaluate, b"")).contains("was trained on"));
    }
}

#[test]
fn every_way_of_keeping_runs_alone() {
    let place = Place::new();
    for way in ["none", "partial", "rehearsal", "teacher", "distillation", "l2", "averaging", "bias"] {
        let told = place.update(way, &["--with", way]);
        assert_eq!(place.labels(&format!("{way}/model-best")), ["PER", "LOC"], "{way}");
        let says = |part: &str| told.contains(part);
        assert_eq!(says("the old model annotated"), way == "teacher", "{way}: {told}");
        assert_eq!(says("averaged:"), way == "averaging", "{way}: {told}");
        assert_eq!(says("is raised by"), way == "bias", "{way}: {told}");
        let run = fs::read_to_string(place.path(way).join("run.toml")).unwrap();
        assert!(run.contains(if way == "l2" { "l2_sp = 50.0" } else { "l2_sp = 0.0" }), "{way}: {run}");
    }
}

#[test]
fn an_update_is_gone_on_with_only_as_it_was_begun_and_says_the_scores_of_the_corrected_model() {
    let place = Place::new();
    place.update("out", &["--with", "distillation,averaging,bias"]);
    let before = manifest(&place.path("out/model-best"));
    assert!(before["run"]["averaged"].is_number() && before["run"]["raised"].is_number(), "{before}");
    let mut evaluate = nomen();
    evaluate.args(["evaluate", "--json", "--model"]).arg(place.path("out/model-best"));
    evaluate.args(["--labels", "LOC", "--data"]).arg(place.path("new-dev.jsonl"));
    let judged: Value = serde_json::from_str(&answer(&run(&mut evaluate, b""))).unwrap();
    assert_eq!(before["scores"]["dev"]["ents_f"], judged["ents_f"]);
    place.update("out", &["--resume", "--with", "distillation,averaging,bias"]);
    assert_eq!(manifest(&place.path("out/model-best"))["files"], before["files"], "corrected once");
    let message = refusal(&run(&mut place.command("out", &["--resume", "--with", "none"]), b""));
    assert!(message.contains("data.known"), "{message}");
}

#[test]
fn without_old_texts_the_new_ones_alone_tell_which_model_is_best() {
    let place = Place::new();
    for (out, more) in [("open", &[][..]), ("complete", &["--complete"]), ("both", &["--labels", "PER,LOC"])] {
        let told = place.update(out, more);
        for part in ["gives up little of the new", "is raised by"] {
            assert!(told.contains(part), "without old texts the weights remember: {told}");
        }
        assert!(told.contains("the new ones alone tell which model is best"), "{told}");
        assert!(manifest(&place.path(out).join("model-best"))["data"]["old dev"].is_null());
    }
}

#[test]
fn old_texts_count_up_to_what_the_old_model_reached_on_texts_that_it_had_not_learned() {
    let place = Place::new();
    let reached = manifest(&place.path("before/model-best"))["scores"]["dev"]["ents_f"].as_f64().unwrap();
    let says = format!("F1 on 4 old texts counts up to {reached:.3}");
    assert!(place.update("learned", &["--replay", "old.jsonl"]).contains(&says), "{says}");
    let told = place.update("others", &["--replay", "old.jsonl", "--old-dev", "old-dev.jsonl"]);
    let says = format!("F1 on 10 old texts counts up to the {reached:.3} of the old model");
    assert!(told.contains(&says), "{says}: {told}");
    assert_eq!(manifest(&place.path("others/model-best"))["data"]["old dev"]["texts"], 10);
}

#[test]
fn labels_are_renamed_joined_and_retired() {
    let place = Place::new();
    place.update("renamed", &["--rename", "PER=PERSON"]);
    assert_eq!(place.labels("renamed/model-best"), ["PERSON", "LOC"]);
    place.update("joined", &["--rename", "PER=LOC"]);
    assert_eq!(place.labels("joined/model-best"), ["LOC"]);
    place.update("retired", &["--retire", "PER"]);
    assert_eq!(place.labels("retired/model-best"), ["LOC"]);
}

#[test]
fn what_does_not_fit_together_is_refused_before_anything_is_written() {
    let place = Place::new();
    place.write("empty.jsonl", &lines(0..5, &[]));
    let cases: [(&[&str], &str); 5] = [
        (&["--rename", "ORG=COMPANY"], "does not know the label `ORG`; it knows PER"),
        (&["--rename", "PER"], "expected OLD=NEW"),
        (&["--retire", "ORG"], "does not know the label `ORG`"),
        (&["--labels", "LOC", "--complete"], "cannot be used with"),
        (&["--train", "empty.jsonl"], "the argument '--train <FILE>' cannot be used multiple times"),
    ];
    for (more, expected) in cases {
        let message = refusal(&run(&mut place.command("out", more), b""));
        assert!(message.contains(expected), "{more:?}: {message}");
        assert!(!place.path("out").exists(), "{more:?}");
    }
}

#[test]
fn a_model_carries_texts_where_it_is_asked_to_and_the_next_update_learns_them_again() {
    let place = Place::new();
    let texts = |model: &str| fs::read_to_string(place.path(model).join("nomen-texts.jsonl"));
    assert!(texts("before/model-best").is_err(), "nobody asked for it");
    let keep = ["--set", "keep_texts=20"];
    place.update("first", &["--replay", "old.jsonl", keep[0], keep[1]]);
    let carried = texts("first/model-best").unwrap();
    assert_eq!(carried.lines().count(), 20);
    for (label, looked_for) in [("PER", "\"labels\":[\"PER\"]"), ("LOC", "\"labels\":[\"LOC\"]")] {
        let is_of = |line: &&str| line.contains(&format!("\"label\":\"{label}\""));
        assert!(carried.lines().filter(is_of).count() > 5, "{label}: {carried}");
        assert!(carried.lines().filter(is_of).all(|line| line.contains(looked_for)), "{label}: {carried}");
    }

    let out = place.path("second");
    let mut second = nomen();
    second.arg("update").arg("--model").arg(place.path("first/model-best")).arg("--out").arg(&out);
    second.arg("--train").arg(place.path("new-dev.jsonl")).args(["--set", "threads=2", "--set", "max_steps=2"]);
    let output = run(second.args(keep), b"");
    answer(&output);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("18 of 18 old texts are learned again"), "{told}");
    let second = texts("second/model-best").unwrap();
    assert!(second.lines().any(|line| carried.contains(line)) && second.contains("Rome"), "{second}");

    // A model for tagging carries none, and none is given away unasked.
    let mut quantize = nomen();
    quantize.arg("quantize").arg("--model").arg(out.join("model-best")).arg("--out").arg(place.path("small"));
    answer(&run(&mut quantize, b""));
    assert!(texts("small").is_err());
    let registry = |verb: &str, rest: &[&str]| {
        let mut command = nomen();
        command.args(["registry", verb, "--registry"]).arg(place.path("models")).args(rest).current_dir(place.0.path());
        run(&mut command, b"")
    };
    answer(&registry("add", &["second/model-best"]));
    assert!(refusal(&registry("push", &["v1", "--to", "pushed"])).contains("--with-texts"));
    answer(&registry("push", &["v1", "--to", "pushed", "--with-texts"]));
    assert_eq!(texts("pushed").unwrap(), second);
    let card = fs::read_to_string(place.path("pushed/README.md")).unwrap();
    assert!(card.contains("Some of these texts lie beside this file"), "{card}");
}

#[test]
fn an_update_that_the_gate_fails_is_refused_with_the_proof() {
    let place = Place::new();
    place.write("old-test.jsonl", &lines(300..330, &[("Anna", "PER")]));
    place.write("new-test.jsonl", &lines(400..430, &[("Rome", "LOC")]));
    let tests = ["--old-test", "old-test.jsonl", "--test", "new-test.jsonl"];

    place.write("gate.toml", "[sets.old]\nmin_gain = 1.0\n");
    let refused = run(place.command("refused", &tests).args(["--policy", "gate.toml"]), b"");
    assert_eq!(refused.status.code(), Some(1));
    let (out, told) = (String::from_utf8(refused.stdout).unwrap(), String::from_utf8(refused.stderr).unwrap());
    assert!(out.contains("all labels on old (no gain)") && !out.contains("next:"), "{out}");
    assert!(told.contains("refused: "), "{told}");
    let proof: Value = serde_json::from_slice(&fs::read(place.path("refused/gate.json")).unwrap()).unwrap();
    assert_eq!(proof["passed"], false);
    assert!(fs::read_to_string(place.path("refused/gate.html")).unwrap().contains("Failed"));

    place.write("gate.toml", "max_drop = 1.0\nmax_drop_label = 1.0\n");
    let passed = answer(&run(place.command("passed", &tests).args(["--policy", "gate.toml", "--json"]), b""));
    let passed: Value = serde_json::from_str(&passed).unwrap();
    assert_eq!(passed["gate"]["passed"], true);
    let names: Vec<&Value> = passed["gate"]["sets"].as_array().unwrap().iter().map(|set| &set["name"]).collect();
    assert_eq!(names, ["old", "new"]);

    for (test, expected) in
        [("old.jsonl", "the old model was trained on"), ("new.jsonl", "the updated model was trained on")]
    {
        let message = refusal(&run(&mut place.command("out", &["--old-test", test]), b""));
        assert!(message.contains(expected), "{message}");
        assert!(!place.path("out").exists());
    }
}

#[test]
fn a_renamed_label_is_the_same_label_to_the_gate() {
    let place = Place::new();
    place.write("old-test.jsonl", &lines(300..330, &[("Anna", "PER")]));
    let printed = answer(&run(
        place
            .command("out", &["--rename", "PER=PERSON", "--old-test", "old-test.jsonl", "--json"])
            .args(["--policy", "gate.toml"])
            .current_dir({
                place.write("gate.toml", "max_drop = 1.0\nmax_drop_label = 1.0\n");
                place.0.path()
            }),
        b"",
    ));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let rows = printed["gate"]["sets"][0]["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["label"] == "PERSON" && row["support"] == 30), "{rows:?}");
}

#[test]
fn the_live_version_of_a_registry_is_updated() {
    let place = Place::new();
    let registry = |arguments: &[&str]| {
        let mut command = nomen();
        command.arg("registry").args(arguments).args(["--registry", "models"]).current_dir(place.0.path());
        answer(&run(&mut command, b""))
    };
    registry(&["add", "before/model-best"]);
    registry(&["promote", "v1", "--force", "--reason", "the first"]);
    let mut update = nomen();
    update.args(["update", "--model", "models", "--train", "new.jsonl", "--out", "out", "--set", "max_steps=2"]);
    answer(&run(update.current_dir(place.0.path()), b""));
    assert_eq!(place.labels("out/model-best"), ["PER", "LOC"]);
    registry(&["add", "out/model-best"]);

    // A version is a base, too: its encoder, and its head where it knows the labels.
    for (base, out, kept) in [("models", "live", "PER"), ("path:registry:models@v2", "second", "LOC, PER")] {
        let mut train = nomen();
        train.args(["train", "--base", base, "--train", "both.jsonl", "--out", out, "--set", "max_steps=2"]);
        place.write("both.jsonl", &lines(0..20, &[("Anna", "PER"), ("Rome", "LOC")]));
        let output = run(train.current_dir(place.0.path()), b"");
        answer(&output);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(&format!("the head of the base is kept for {kept}")), "{told}");
    }
}
