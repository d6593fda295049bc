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
    for part in ["searched for LOC", "36 of 36 old texts are learned again", "the head of the base is kept for PER"] {
        assert!(told.contains(part), "{part}: {told}");
    }
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
    for way in ["none", "partial", "rehearsal", "teacher", "distillation", "l2", "averaging"] {
        let told = place.update(way, &["--with", way]);
        assert_eq!(place.labels(&format!("{way}/model-best")), ["PER", "LOC"], "{way}");
        let says = |part: &str| told.contains(part);
        assert_eq!(says("the old model annotated"), way == "teacher", "{way}: {told}");
        assert_eq!(says("averaged:"), way == "averaging", "{way}: {told}");
        let run = fs::read_to_string(place.path(way).join("run.toml")).unwrap();
        assert_eq!(run.contains("l2_sp = 0.0"), way != "l2", "{way}");
    }
}

#[test]
fn an_update_is_gone_on_with_only_as_it_was_begun_and_says_the_scores_of_the_averaged_model() {
    let place = Place::new();
    place.update("out", &[]);
    let before = manifest(&place.path("out/model-best"));
    assert!(before["run"]["averaged"].is_number(), "{before}");
    let mut evaluate = nomen();
    evaluate.args(["evaluate", "--json", "--model"]).arg(place.path("out/model-best"));
    evaluate.args(["--labels", "LOC", "--data"]).arg(place.path("new-dev.jsonl"));
    let judged: Value = serde_json::from_str(&answer(&run(&mut evaluate, b""))).unwrap();
    assert_eq!(before["scores"]["dev"]["ents_f"], judged["ents_f"]);
    place.update("out", &["--resume"]);
    assert_eq!(manifest(&place.path("out/model-best"))["files"], before["files"], "averaged once");
    let message = refusal(&run(&mut place.command("out", &["--resume", "--with", "none"]), b""));
    assert!(message.contains("data.known"), "{message}");
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
