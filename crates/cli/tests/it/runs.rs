//! `nomen runs`, on runs of a tiny base, and `nomen train --track`.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

/// A folder with data, in which runs go.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let lines = |first: usize, count: usize| -> String {
            let line = |index| {
                format!(
                    "{{\"text\":\"Anna {index} reads\",\"entities\":[{{\"start\":0,\"end\":4,\"label\":\"PER\"}}]}}\n"
                )
            };
            (first..first + count).map(line).collect()
        };
        fs::write(place.path("train.jsonl"), lines(0, 40)).unwrap();
        fs::write(place.path("dev.jsonl"), lines(100, 8)).unwrap();
        fs::write(place.path("test.jsonl"), lines(200, 8)).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn train(&self, out: &str, more: &[&str]) -> Command {
        let mut command = nomen();
        command.arg("train");
        for name in ["train", "dev", "test"] {
            command.arg(format!("--{name}")).arg(self.path(&format!("{name}.jsonl")));
        }
        command.arg("--base").arg(format!("path:{}", tiny_model().display()));
        command.arg("--out").arg(self.path(out)).args(["--set", "max_steps=6", "--set", "eval_every=3"]).args(more);
        command
    }
}

fn runs(arguments: &[&str], folder: &Path) -> Command {
    let mut command = nomen();
    command.arg("runs").args(arguments).arg(folder);
    command
}

/// An address where nobody listens.
fn nobody() -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("mlflow:http://{address}")
}

#[test]
fn runs_are_listed_compared_and_plotted_from_their_events_alone() {
    let place = Place::new();
    answer(&run(&mut place.train("runs/a", &["--set", "seed=1"]), b""));
    answer(&run(&mut place.train("runs/deeper/b", &["--set", "seed=2"]), b""));
    for name in ["runs/a", "runs/deeper/b"] {
        // Nothing else of a run is looked at.
        for other in ["model-best", "model-last", "checkpoints"] {
            fs::remove_dir_all(place.path(name).join(other)).unwrap();
        }
        fs::remove_file(place.path(name).join("run.toml")).unwrap();
    }
    let listed = answer(&run(&mut runs(&[], &place.path("runs")), b""));
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(
        lines[0].starts_with("run ") && lines[1].contains("runs/a") && lines[2].contains("runs/deeper/b"),
        "{listed}"
    );
    assert!(lines[1].contains("6/6") && lines[1].ends_with("finished") && lines[1].contains("path:"), "{listed}");

    let json: Value = serde_json::from_str(&answer(&run(&mut runs(&["--json"], &place.path("runs")), b""))).unwrap();
    let first = &json[0];
    assert_eq!(
        (&first["name"], &first["step"], &first["steps"], &first["state"]),
        (&"a".into(), &6.into(), &6.into(), &"finished".into())
    );
    assert_eq!((&first["data"]["train"]["texts"], &first["data"]["test"]["file"]), (&40.into(), &"test.jsonl".into()));
    assert!(first["dev"]["ents_f"].is_number() && first["test"]["ents_f"].is_number() && first["begun"].is_u64());

    let compared = answer(&run(&mut runs(&["compare"], &place.path("runs")), b""));
    let words = |start: &str| -> Vec<String> {
        let line =
            compared.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {compared}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(words("seed"), ["seed", "1", "2"]);
    assert!(!compared.contains("learning_rate") && words("state") == ["state", "finished", "finished"], "{compared}");
    let json: Value =
        serde_json::from_str(&answer(&run(&mut runs(&["compare", "--json"], &place.path("runs")), b""))).unwrap();
    assert_eq!(json["differing"]["seed"], serde_json::json!(["1", "2"]));

    let page = place.path("runs.html");
    run(runs(&["plot"], &place.path("runs")).arg("--out").arg(&page), b"");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("F1 on dev") && !page.contains("<script"), "{page}");
}

#[test]
fn a_folder_without_runs_is_named() {
    let place = Place::new();
    let message = refusal(&run(&mut runs(&[], place.0.path()), b""));
    assert!(message.contains("there is no run in it") && message.contains("events.jsonl"), "{message}");
    assert!(refusal(&run(&mut runs(&[], &place.path("nowhere")), b"")).contains("nowhere"));
}

#[test]
fn a_tracker_that_is_away_stops_nothing_and_is_sent_the_rest_later() {
    let place = Place::new();
    let away = nobody();
    let output = run(&mut place.train("run", &["--track", &away, "--track", "tensorboard"]), b"");
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    answer(&output);
    assert!(told.contains("does not have everything") && told.contains("runs sync"), "{told}");
    assert!(fs::read_dir(place.path("run/tensorboard")).unwrap().count() == 1);
    let output = run(&mut runs(&["sync", "--json"], &place.path("run")), b"");
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    let output = run(&mut runs(&["sync", "--track", "tensorboard"], &place.path("run")), b"");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_tracker_that_cannot_be_is_refused_before_anything_is_written() {
    let place = Place::new();
    for (given, part) in
        [("wandb", "is no tracker"), ("mlflow", "MLFLOW_TRACKING_URI"), ("mlflow:http://a:s3cret@b", "USERNAME")]
    {
        let message = refusal(&run(place.train("run", &["--track", given]).env_remove("MLFLOW_TRACKING_URI"), b""));
        assert!(message.contains(part) && !message.contains("s3cret"), "{message}");
        assert!(!place.path("run").exists());
    }
    let message = refusal(&run(&mut runs(&["sync"], &place.path("run")), b""));
    assert!(message.contains("there is no run in it"), "{message}");
}

#[test]
fn a_project_says_where_its_runs_are_shown_and_an_option_goes_before_it() {
    let place = Place::new();
    let project = place.path("project");
    answer(&run(nomen().arg("init").arg(&project), b""));
    for name in ["train", "dev", "test"] {
        fs::copy(place.path(&format!("{name}.jsonl")), project.join(format!("data/{name}.jsonl"))).unwrap();
    }
    let config = fs::read_to_string(project.join("nomen.toml")).unwrap();
    assert!(config.contains("[tracking]\nto = []"), "{config}");
    fs::write(project.join("nomen.toml"), config.replace("to = []", "to = [\"tensorboard\"]\nexperiment = \"x\""))
        .unwrap();
    let train = |more: &[&str]| {
        let mut command = nomen();
        command.current_dir(&project).arg("train").arg("--base").arg(format!("path:{}", tiny_model().display()));
        command.args(["--set", "max_steps=2"]).args(more);
        answer(&run(&mut command, b""));
    };
    train(&[]);
    train(&["--track", "none"]);
    assert!(project.join("runs/run-1/tensorboard").is_dir() && !project.join("runs/run-2/tensorboard").exists());
    let listed = answer(&run(nomen().arg("runs").current_dir(&project), b""));
    assert!(listed.contains("runs/run-1") && listed.contains("runs/run-2"), "{listed}");
}
