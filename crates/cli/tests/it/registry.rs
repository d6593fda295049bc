//! `nomen registry`: versions of real models, and a registry where a model is meant.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, other_tiny_model, refusal, run, tiny_model};

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One with two versions, neither live.
    fn with_two() -> Self {
        let place = Self::new();
        for model in [tiny_model(), other_tiny_model()] {
            answer(&run(place.registry("add").arg(model), b""));
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn registry(&self, verb: &str) -> Command {
        let mut command = nomen();
        command.args(["registry", verb, "--registry"]).arg(self.path("models"));
        command
    }

    fn json(&self, verb: &str, arguments: &[&str]) -> Value {
        let printed = answer(&run(self.registry(verb).args(arguments).arg("--json"), b""));
        serde_json::from_str(&printed).unwrap()
    }

    fn force(&self, version: &str) {
        let promote = ["--force", "--reason", "a test", version];
        answer(&run(self.registry("promote").args(promote), b""));
    }
}

fn tagged(model: &Path) -> String {
    let mut tag = nomen();
    tag.args(["tag", "--json", "--model"]).arg(model);
    answer(&run(&mut tag, "Anna Smith lives in Rome".as_bytes()))
}

#[test]
fn a_registry_is_its_live_version_wherever_a_model_is_taken() {
    let place = Place::with_two();
    let models = place.path("models");
    let said = refusal(&run(nomen().args(["tag", "--model"]).arg(&models), b"Anna"));
    assert!(said.contains("no version is live"), "{said}");
    answer(&run(place.registry("promote").arg("v1"), b""));
    assert_eq!(tagged(&models), tagged(&tiny_model()));
    place.force("v2");
    assert_eq!(tagged(&models), tagged(&other_tiny_model()));
    let named = |version: &str| PathBuf::from(format!("registry:{}{version}", models.display()));
    assert_eq!(tagged(&named("@v1")), tagged(&tiny_model()));
    assert_eq!(tagged(&named("")), tagged(&other_tiny_model()));
    assert_eq!(tagged(&PathBuf::from(format!("registry:file://{}@v2", models.display()))), tagged(&other_tiny_model()));
    answer(&run(place.registry("rollback").args(["--reason", "worse"]), b""));
    assert_eq!(tagged(&models), tagged(&tiny_model()));
    let said = refusal(&run(nomen().args(["tag", "--model", "registry:gs://bucket/models"]), b"Anna"));
    assert!(said.contains("AWS_ENDPOINT_URL_S3"), "{said}");
    for named in ["s3://bucket/models", "registry:s3://bucket/models@v2"] {
        let said = refusal(&run(nomen().args(["tag", "--model", named]).env_remove("AWS_ACCESS_KEY_ID"), b"Anna"));
        assert!(said.contains("s3://bucket/models: ") && said.contains("set AWS_ACCESS_KEY_ID"), "{said}");
    }
}

#[test]
fn a_promotion_needs_the_gate_and_the_history_tells_the_reason() {
    let place = Place::with_two();
    answer(&run(place.registry("promote").arg("v1"), b""));
    let said = refusal(&run(place.registry("promote").arg("v2"), b""));
    assert!(said.contains("has not been judged") && said.contains("--force"), "{said}");
    let said = refusal(&run(place.registry("promote").args(["v2", "--force", "--reason", " "]), b""));
    assert!(said.contains("--reason is empty"), "{said}");
    assert_eq!(run(place.registry("promote").args(["v2", "--force"]), b"").status.code(), Some(2));

    // Gold is what v2 answers: it wins everything. What v1 answers, it loses.
    let mut texts = String::new();
    (0..40).for_each(|number| writeln!(texts, "Anna Smith {number} lives in Rome at {number}").unwrap());
    let gold = |model: PathBuf, name: &str| {
        let file = place.path(name);
        fs::write(&file, answer(&run(nomen().args(["tag", "--to", "jsonl", "--model"]).arg(model), texts.as_bytes())))
            .unwrap();
        file
    };
    let gate = |gold: PathBuf, report: &str| {
        let candidate = format!("registry:{}@v2", place.path("models").display());
        let mut gate = nomen();
        gate.args(["gate", "--json", "--model", &candidate, "--against"])
            .arg(place.path("models"))
            .arg("--test")
            .arg(gold);
        let output = run(&mut gate, b"");
        fs::write(place.path(report), &output.stdout).unwrap();
        output.status.code()
    };
    assert_eq!(gate(gold(tiny_model(), "of-v1.jsonl"), "failed.json"), Some(1));
    assert_eq!(gate(gold(other_tiny_model(), "of-v2.jsonl"), "passed.json"), Some(0));
    let promote = |report: &str| run(place.registry("promote").arg("v2").arg("--gate").arg(place.path(report)), b"");
    let said = refusal(&promote("failed.json"));
    assert!(said.contains("v2 failed its gate against the live v1"), "{said}");
    answer(&promote("passed.json"));
    answer(&run(place.registry("rollback").args(["--reason", "slower than it should be"]), b""));
    let shown = answer(&run(place.registry("show").arg("v2"), b""));
    for expected in [
        "failed the gate against v1",
        "passed the gate against v1",
        "promoted in the place of v1",
        "rolled back to v1",
        "slower than it should be",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let shown = place.json("show", &["v2"]);
    assert_eq!((&shown["stage"], &shown["gate"]["passed"]), (&"archived".into(), &true.into()));
    let listed = answer(&run(&mut place.registry("list"), b""));
    assert!(listed.lines().any(|line| line.starts_with("v1") && line.contains("live")), "{listed}");
}

#[test]
fn a_diff_shows_what_each_version_finds_in_its_text() {
    let place = Place::with_two();
    let file = place.path("letters.txt");
    fs::write(&file, "Anna Smith lives in Rome\nThe 😀 book of Ærø\n").unwrap();
    let file = file.display().to_string();
    let output = run(place.registry("diff").args(["v1", "v2", &file]), b"");
    let shown = answer(&output);
    assert!(shown.starts_with("--- v1 (") && shown.contains("\n@@ text 1\n- ") && shown.contains("\n+ "), "{shown}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("differences in 2 texts"));
    let shown = place.json("diff", &["v1", "v2", &file]);
    assert!(shown["texts"] == 2 && !shown["differences"].as_array().unwrap().is_empty());
    let same = place.json("diff", &["v1", "v1", &file]);
    assert!(same["differences"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_pushed_is_a_model_with_a_card_and_comes_back_as_the_same_version() {
    let place = Place::with_two();
    let gold = place.path("gold.jsonl");
    fs::write(&gold, "{\"text\":\"Anna in Rome\",\"entities\":[{\"start\":0,\"end\":4,\"label\":\"PER\"}],\"meta\":{\"source\":\"web\"}}\n").unwrap();
    let evaluate = |model: &str| {
        let mut command = nomen();
        command.args(["evaluate", "--json", "--slice", "meta.source", "--model", model, "--data"]).arg(&gold);
        answer(&run(&mut command, b""))
    };
    fs::write(place.path("scores.json"), evaluate(&format!("registry:{}@v1", place.path("models").display()))).unwrap();
    let scores = place.path("scores.json").display().to_string();

    let folder = place.path("pushed").display().to_string();
    let pushed = place.json(
        "push",
        &["v1", "--to", &folder, "--evaluation", &scores, "--licence", "apache-2.0", "--language", "en,da"],
    );
    assert!(pushed["revision"].is_null());
    let card = fs::read_to_string(place.path("pushed/README.md")).unwrap();
    assert!(card.contains("\n- \"da\"\n") && card.contains("### By source") && card.contains("| web |"), "{card}");
    assert_eq!(tagged(&place.path("pushed")), tagged(&tiny_model()));

    let hub = place.path("hub").display().to_string();
    let pushed = place.json("push", &["v1", "--to", &hub, "--name", "acme/tiny"]);
    let (revision, version) = (pushed["revision"].as_str().unwrap(), pushed["version"].as_str().unwrap());
    let other = Place::new();
    let pulled =
        other.json("pull", &["--from", &hub, "--name", "acme/tiny", "--revision", revision, "--expect", version]);
    assert_eq!(pulled["id"], version);
    let of_v2 = place.json("show", &["v2"])["id"].as_str().unwrap().to_owned();
    let said = refusal(&run(other.registry("pull").args(["--from", &folder, "--expect", &of_v2]), b""));
    assert!(said.contains("expected the version"), "{said}");
    answer(&run(other.registry("pull").args(["--from", &folder]), b""));
    assert_eq!(other.json("list", &[]).as_array().unwrap().len(), 1);
}

#[test]
fn verify_finds_a_changed_file_and_such_a_version_is_not_used() {
    let place = Place::with_two();
    answer(&run(place.registry("promote").arg("v1"), b""));
    answer(&run(&mut place.registry("verify"), b""));
    let shown = place.json("show", &["live"]);
    let weights = Path::new(shown["folder"].as_str().unwrap()).join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::remove_file(&weights).unwrap();
    fs::write(&weights, bytes).unwrap();
    let output = run(&mut place.registry("verify"), b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("model.safetensors: expected"), "{output:?}");
    let said = refusal(&run(nomen().args(["tag", "--model"]).arg(place.path("models")), b"Anna"));
    assert!(said.contains("v1 of") && said.contains("rollback") && said.contains("model.safetensors"), "{said}");
}

#[test]
fn what_is_no_model_never_gets_into_a_registry() {
    let place = Place::new();
    let said = refusal(&run(place.registry("add").arg(place.path("nothing")), b""));
    assert!(said.contains("no such folder"), "{said}");
    assert!(!place.path("models").exists());
    let said = refusal(&run(&mut place.registry("list"), b""));
    assert!(said.contains("there is no registry") && said.contains("nomen registry add"), "{said}");
    assert_eq!(run(place.registry("show").arg("../x"), b"").status.code(), Some(2));
}
