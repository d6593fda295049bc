//! `nomen monitor`, from training to the alarm, on a tiny base whose weights are random.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

/// A folder with a model that has a profile, and texts of its own domain and of another one.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("train.jsonl"), annotated(0..60)).unwrap();
        fs::write(place.path("dev.jsonl"), annotated(100..500)).unwrap();
        fs::write(place.path("own.txt"), texts(1_000..1_600)).unwrap();
        let other = "The quarterly revenue of the combined enterprise exceeded all previous expectations. ";
        fs::write(place.path("other.txt"), format!("{}\n", other.repeat(3)).repeat(300)).unwrap();
        let mut train = nomen();
        train.arg("train").arg("--train").arg(place.path("train.jsonl")).arg("--dev").arg(place.path("dev.jsonl"));
        train.arg("--base").arg(format!("path:{}", tiny_model().display())).arg("--out").arg(place.path("run"));
        answer(&run(train.args(["--set", "threads=2", "--set", "max_steps=2"]), b""));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn model(&self) -> PathBuf {
        self.path("run/model-best")
    }

    fn tag(&self, file: &str, more: &[&str]) {
        let mut command = nomen();
        command.arg("tag").arg("--model").arg(self.model()).arg(self.path(file)).arg("--log").arg(self.path("log"));
        answer(&run(command.args(more), b""));
    }

    fn monitor(&self, more: &[&str]) -> Command {
        let mut command = nomen();
        command.arg("monitor").arg(self.path("log")).arg("--model").arg(self.model()).args(more);
        command.current_dir(self.0.path());
        command
    }
}

fn text(number: usize) -> String {
    let name = ["Anna", "Bo", "Ærø", "Carl"][number % 4];
    let rest = ["reads a book", "reads", "writes a long letter to her sister", "is here today"][number / 4 % 4];
    format!("{name} {rest}")
}

fn texts(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| text(number) + "\n").collect()
}

fn annotated(numbers: std::ops::Range<usize>) -> String {
    let line = |number: usize| {
        let text = text(number);
        let end = text.chars().position(|letter| letter == ' ').unwrap();
        format!("{{\"text\":\"{text}\",\"entities\":[{{\"start\":0,\"end\":{end},\"label\":\"PER\"}}]}}\n")
    };
    numbers.map(line).collect()
}

fn log_of(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn the_own_domain_raises_no_alarm_and_another_one_does() {
    let place = Place::new();
    place.tag("own.txt", &[]);
    let steady = run(&mut place.monitor(&["--html", "steady.html"]), b"");
    let table = answer(&steady);
    assert!(table.contains("no drift is shown") && table.contains("400 texts of dev"), "{table}");

    place.tag("other.txt", &[]);
    let drifted = run(&mut place.monitor(&["--json", "--html", "drift.html"]), b"");
    assert_eq!(drifted.status.code(), Some(1), "{drifted:?}");
    let report: Value = serde_json::from_slice(&drifted.stdout).unwrap();
    assert_eq!((&report["drifted"], &report["whole"]["texts"]), (&Value::from(true), &Value::from(900)));
    let windows = report["windows"].as_array().unwrap();
    let verdicts = |window: &Value| {
        let features = window["features"].as_array().unwrap().clone();
        features.into_iter().filter(|feature| feature["verdict"] == "drifted").map(|feature| feature["feature"].clone())
    };
    assert_eq!(verdicts(&windows[0]).count(), 0, "{report}");
    let last: Vec<Value> = verdicts(windows.last().unwrap()).collect();
    assert!(last.contains(&Value::from("length")) && last.contains(&Value::from("new_words")), "{last:?}");

    let page = fs::read_to_string(place.path("drift.html")).unwrap();
    assert!(page.contains("Drift") && page.contains("<svg") && !page.contains("<script"));
    // The other domain is the newest of the log, and the log of the own one is what it is compared with.
    let only = run(&mut place.monitor(&["--last", "300"]), b"");
    assert_eq!(only.status.code(), Some(1), "{only:?}");
    let own = place.path("log/predictions-000001.jsonl").display().to_string();
    let against = run(&mut place.monitor(&["--against", &own]), b"");
    assert_eq!(against.status.code(), Some(1), "{against:?}");
}

#[test]
fn texts_are_in_the_log_only_where_they_are_to_be_kept() {
    let place = Place::new();
    place.tag("own.txt", &[]);
    let hashed = log_of(&place.path("log"));
    assert!(hashed.lines().count() == 600 && hashed.contains("\"hash\"") && !hashed.contains("letter"), "{hashed}");
    let message = refusal(&run(&mut place.monitor(&["--low-confidence", "unsure.jsonl"]), b""));
    assert!(message.contains("--log-texts keep") && !place.path("unsure.jsonl").exists(), "{message}");

    fs::remove_dir_all(place.path("log")).unwrap();
    place.tag("own.txt", &["--log-texts", "keep", "--log-share", "0.5"]);
    let kept = log_of(&place.path("log"));
    assert!((230..370).contains(&kept.lines().count()) && kept.contains("a long letter"));
    answer(&run(&mut place.monitor(&["--low-confidence", "unsure.jsonl", "--below", "1"]), b""));
    let unsure = fs::read_to_string(place.path("unsure.jsonl")).unwrap();
    let lowest: Vec<f64> = unsure
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["meta"]["lowest_score"].as_f64().unwrap())
        .collect();
    assert!(!lowest.is_empty() && lowest.is_sorted() && unsure.contains("\"complete\":false"), "{unsure}");
    let again = refusal(&run(&mut place.monitor(&["--low-confidence", "unsure.jsonl"]), b""));
    assert!(again.contains("name another file"), "{again}");
    let mut convert = nomen();
    convert.args(["convert", "unsure.jsonl", "unsure.json", "--to", "label-studio"]).current_dir(place.0.path());
    answer(&run(&mut convert, b""));
}

#[test]
fn a_smaller_model_keeps_the_profile_and_has_a_log_of_its_own() {
    let place = Place::new();
    place.tag("own.txt", &[]);
    let mut quantize = nomen();
    answer(&run(quantize.arg("quantize").arg("--model").arg(place.model()).arg("--out").arg(place.path("int8")), b""));
    let profile = |model: &Path| fs::read(model.join("nomen-profile.json")).unwrap();
    assert_eq!(profile(&place.path("int8")), profile(&place.model()));
    let mut monitor = nomen();
    monitor.arg("monitor").arg(place.path("log")).arg("--model").arg(place.path("int8"));
    let message = refusal(&run(&mut monitor, b""));
    assert!(message.contains("none of the 600 rows is of the version"), "{message}");
}

#[test]
fn what_cannot_be_monitored_is_refused_with_the_way_out() {
    let place = Place::new();
    place.tag("own.txt", &[]);
    let tiny = tiny_model();
    let mut monitor = nomen();
    let message = refusal(&run(monitor.arg("monitor").arg(place.path("log")).arg("--model").arg(&tiny), b""));
    assert!(message.contains("nomen-profile.json") && message.contains("--against"), "{message}");
    let mut monitor = nomen();
    monitor.arg("monitor").arg(place.path("log")).arg("--model").arg(place.path("run"));
    assert!(refusal(&run(&mut monitor, b"")).contains("model-best"));
    for (wrong, said) in [
        (["--window", "1w"], "no window"),
        (["--threshold", "0"], "--threshold"),
        (["--confidence", "1"], "--confidence"),
        (["--against", "nowhere"], "nowhere"),
    ] {
        let output = run(&mut place.monitor(&wrong), b"");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
    let log = place.path("log/predictions-000001.jsonl");
    let rows = fs::read_to_string(&log).unwrap();
    fs::write(&log, &rows[..rows.len() - 20]).unwrap();
    let cut = run(&mut place.monitor(&[]), b"");
    assert!(answer(&cut).starts_with("599 texts") && String::from_utf8_lossy(&cut.stderr).contains("cut"), "{cut:?}");
}
