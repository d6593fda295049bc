//! `nomen train` and `nomen quickstart`, on a tiny base whose weights are random: what is learnt is nothing, but
//! everything around it is as with a real one.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

/// A folder with data, in which runs go.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let lines = |range: std::ops::Range<usize>| -> String {
            let line = |index: usize| {
                let name = ["Anna", "Bo", "Ærø", "Carl"][index % 4];
                let text = format!("{index} {name} reads a book");
                let start = index.to_string().len() + 1;
                let end = start + name.chars().count();
                format!(
                    "{{\"text\":\"{text}\",\"entities\":[{{\"start\":{start},\"end\":{end},\"label\":\"PER\"}}]}}\n"
                )
            };
            range.map(line).collect()
        };
        fs::write(place.path("train.jsonl"), lines(0..60)).unwrap();
        fs::write(place.path("dev.jsonl"), lines(100..110)).unwrap();
        fs::write(place.path("test.jsonl"), lines(200..215)).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A run of so many steps into the folder `out`.
    fn train(&self, out: &str, steps: u32) -> Command {
        let mut command = nomen();
        command.arg("train");
        for name in ["train", "dev", "test"] {
            command.arg(format!("--{name}")).arg(self.path(&format!("{name}.jsonl")));
        }
        command.arg("--base").arg(format!("path:{}", tiny_model().display()));
        command.arg("--out").arg(self.path(out)).args(["--set", "threads=2", "--set", "patience=0"]);
        command.args(["--set", "num_train_epochs=100000", "--set"]).arg(format!("max_steps={steps}"));
        command
    }
}

fn weights(run: &Path) -> Vec<u8> {
    fs::read(run.join("model-last/model.safetensors")).unwrap()
}

#[test]
fn a_run_leaves_what_it_promises_and_its_model_tags() {
    let place = Place::new();
    let output = run(place.train("run", 30).arg("--json"), b"");
    let judged: Value = serde_json::from_str(&answer(&output)).unwrap();
    assert_eq!(judged["ended"], "finished");
    assert_eq!((&judged["dev"]["texts"], &judged["test"]["texts"]), (&10.into(), &15.into()));
    assert!(judged["test"]["ents_f"].is_number() && judged["test"]["ents_per_type"]["PER"]["support"] == 15);
    for name in ["model-best/nomen.json", "model-last/model.safetensors", "events.jsonl", "run.toml", "report.html"] {
        assert!(place.path("run").join(name).is_file(), "{name}");
    }
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("learning_rate") && told.contains("the base is 32 wide"), "what was chosen is told: {told}");
    let events = fs::read_to_string(place.path("run/events.jsonl")).unwrap();
    let steps = events.lines().filter(|line| line.contains("pieces_per_s")).count();
    assert_eq!(steps, 30);
    let manifest: Value = serde_json::from_slice(&fs::read(place.path("run/model-best/nomen.json")).unwrap()).unwrap();
    assert!(manifest["scores"]["test"]["ents_f"].is_number() && manifest["data"]["train"]["texts"] == 60);

    let best = place.path("run/model-best");
    let tagged = answer(&run(nomen().args(["tag", "--json", "--model"]).arg(&best), "Anna reads".as_bytes()));
    assert!(tagged.starts_with(r#"{"text":"Anna reads","entities":["#), "{tagged}");
    let scored = answer(&run(
        nomen().args(["evaluate", "--json", "--model"]).arg(best).arg("--data").arg(place.path("test.jsonl")),
        b"",
    ));
    let scored: Value = serde_json::from_str(&scored).unwrap();
    assert_eq!(
        scored["ents_per_type"], judged["test"]["ents_per_type"],
        "the score of the run is the score of the model"
    );
}

#[test]
fn folds_score_every_text_by_a_model_that_has_not_seen_it() {
    let place = Place::new();
    let out = place.path("folds");
    let command = |out: &Path| {
        let mut command = nomen();
        command.arg("train").arg("--train").arg(place.path("train.jsonl")).arg("--out").arg(out);
        command.arg("--base").arg(format!("path:{}", tiny_model().display())).args(["--folds", "3"]);
        command.args(["--set", "threads=2", "--set", "max_steps=5", "--json"]);
        command
    };
    let printed = answer(&run(&mut command(&out), b""));
    let json: Value = serde_json::from_str(&printed).unwrap();
    let folds = json["folds"].as_array().unwrap();
    let sizes: Vec<u64> = folds.iter().map(|fold| fold["texts"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [20, 20, 20]);
    assert_eq!((&json["all"]["texts"], &json["all"]["ents_per_type"]["PER"]["support"]), (&60.into(), &60.into()));
    assert!(json["mean"]["f"].is_number() && json["deviation"]["f"].is_number());
    assert!(json["all"]["ents_f_interval"]["low"].is_number());
    let written: Value = serde_json::from_slice(&fs::read(out.join("cross-validation.json")).unwrap()).unwrap();
    assert_eq!(written, json);
    let predictions = fs::read_to_string(out.join("predictions.jsonl")).unwrap();
    let texts = |lines: &str| -> Vec<Value> {
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone()).collect()
    };
    assert_eq!(texts(&predictions), texts(&fs::read_to_string(place.path("train.jsonl")).unwrap()));

    assert!(refusal(&run(&mut command(&out), b"")).contains("name another --out"));
    let again = answer(&run(&mut command(&place.path("again")), b""));
    assert_eq!(again.replace("/again/", "/folds/"), printed, "the same data, settings and base give the same scores");
    let mut many = nomen();
    many.arg("train").arg("--train").arg(place.path("train.jsonl")).arg("--out").arg(place.path("many"));
    many.arg("--base").arg(format!("path:{}", tiny_model().display())).args(["--folds", "61"]);
    assert!(refusal(&run(&mut many, b"")).contains("61 folds cannot be made"));
    assert!(!place.path("many").exists());
}

#[test]
fn label_errors_are_looked_for_in_what_a_model_has_not_seen() {
    let place = Place::new();
    answer(&run(&mut place.train("run", 4), b""));
    let best = place.path("run/model-best");
    let check = |name: &str, more: &[&str]| {
        run(nomen().arg("check").arg(place.path(name)).arg("--model").arg(&best).args(more), b"")
    };
    let message = refusal(&check("train.jsonl", &["--select", "Q026"]));
    assert!(message.contains("the model was trained on all"), "{message}");
    let output = check("train.jsonl", &[]);
    assert_ne!(output.status.code(), Some(2), "the other checks need no model: {output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("60 of 60 texts"));
    let output = check("test.jsonl", &["--select", "Q026"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("was trained on"));
}

#[test]
fn texts_that_a_model_has_seen_are_scored_only_on_demand() {
    let place = Place::new();
    answer(&run(&mut place.train("run", 4), b""));
    let evaluate = |model: &Path, data: &str| {
        let mut command = nomen();
        command.args(["evaluate", "--json", "--model"]).arg(model).arg("--data").arg(place.path(data));
        command
    };
    let best = place.path("run/model-best");
    let unseen = fs::read_to_string(place.path("test.jsonl")).unwrap();
    let seen = fs::read_to_string(place.path("train.jsonl")).unwrap().lines().nth(3).unwrap().to_uppercase();
    let seen = ["TEXT", "ENTITIES", "START", "END", "LABEL"]
        .iter()
        .fold(seen, |line, key| line.replace(&format!("\"{key}\""), &format!("\"{}\"", key.to_lowercase())));
    fs::write(place.path("mixed.jsonl"), format!("{unseen}{seen}\n")).unwrap();

    let small = place.path("small");
    answer(&run(nomen().arg("quantize").arg("--model").arg(&best).arg("--out").arg(&small), b""));
    for model in [&best, &small] {
        let message = refusal(&run(&mut evaluate(model, "mixed.jsonl"), b""));
        assert!(
            ["mixed.jsonl", "1 of its 16 texts", "text 16", "3 CARL READS A BOOK", "--seen-too"]
                .iter()
                .all(|part| message.contains(part)),
            "{message}"
        );
        answer(&run(evaluate(model, "mixed.jsonl").arg("--seen-too"), b""));
        answer(&run(&mut evaluate(model, "dev.jsonl"), b""));
        for (candidate, live, who) in
            [(model, &tiny_model(), "the candidate"), (&tiny_model(), model, "the live model")]
        {
            let mut gate = nomen();
            gate.arg("gate").arg("--model").arg(candidate).arg("--against").arg(live);
            let message = refusal(&run(gate.arg("--test").arg(place.path("mixed.jsonl")), b""));
            assert!(message.contains(&format!("{who} was trained on 1 of its 16 texts")), "{message}");
            assert!(!message.contains("--seen-too"), "{message}");
        }
    }

    // A model that was made from this one has seen its texts too.
    fs::rename(place.path("train.jsonl"), place.path("first.jsonl")).unwrap();
    fs::rename(place.path("test.jsonl"), place.path("train.jsonl")).unwrap();
    fs::copy(place.path("dev.jsonl"), place.path("test.jsonl")).unwrap();
    let mut second = place.train("second", 4);
    let base = second.get_args().position(|argument| argument == "--base").unwrap() + 1;
    let arguments: Vec<_> = second.get_args().map(ToOwned::to_owned).collect();
    second = nomen();
    for (at, argument) in arguments.into_iter().enumerate() {
        if at == base {
            second.arg(format!("path:{}", best.display()))
        } else {
            second.arg(argument)
        };
    }
    answer(&run(&mut second, b""));
    for learned in ["first.jsonl", "train.jsonl"] {
        refusal(&run(&mut evaluate(&place.path("second/model-best"), learned), b""));
    }
    // And a registry knows whose child it is.
    let registry = |verb: &str| {
        let mut command = nomen();
        command.args(["registry", verb, "--json", "--registry"]).arg(place.path("models"));
        command
    };
    for model in [best.clone(), place.path("second/model-best")] {
        answer(&run(registry("add").arg(model), b""));
    }
    let [parent, child] = ["v1", "v2"]
        .map(|version| serde_json::from_str::<Value>(&answer(&run(registry("show").arg(version), b""))).unwrap());
    assert_eq!((&child["parent"], &child["lineage"][0]), (&parent["id"], &parent["id"]));
    assert!(child["data"]["train"]["fingerprint"].is_string() && child["run"]["seed"].is_number());
    fs::remove_file(best.join("nomen-trained-on.bin")).unwrap();
    let message = refusal(&run(&mut evaluate(&best, "dev.jsonl"), b""));
    assert!(message.contains("nomen-trained-on.bin"), "a bundle that lost a file is not whole: {message}");
}

#[test]
fn a_table_shows_dev_and_test_and_what_to_do_next() {
    let place = Place::new();
    let table = answer(&run(&mut place.train("run", 4), b""));
    let head = table.lines().next().unwrap();
    assert!(["dev F1", "test F1"].iter().all(|name| head.contains(name)), "{table}");
    assert!(table.contains("PER") && table.contains("tag --model") && table.contains("model-best"), "{table}");
}

#[test]
fn a_folder_with_a_run_is_refused_and_resume_needs_one() {
    let place = Place::new();
    let message = refusal(&run(place.train("run", 4).arg("--resume"), b""));
    assert!(message.contains("no run in this folder"), "{message}");
    assert!(!place.path("run").exists(), "nothing is made");
    answer(&run(&mut place.train("run", 4), b""));
    let before = weights(&place.path("run"));
    let message = refusal(&run(&mut place.train("run", 4), b""));
    assert!(message.contains("--resume") && message.contains("--out"), "{message}");
    let message = refusal(&run(place.train("run", 4).args(["--resume", "--set", "seed=7"]), b""));
    assert!(["settings.seed", "42", "7"].iter().all(|part| message.contains(part)), "{message}");
    assert_eq!(before, weights(&place.path("run")));
}

#[test]
fn copies_are_written_down_and_what_they_bring_is_told() {
    let place = Place::new();
    let augmented = |out| {
        let mut command = place.train(out, 12);
        command.args(["--set", "augment.copies=2", "--set", "augment.mentions=1", "--set", "augment.join=0.5"]);
        command
    };
    let judged: Value = serde_json::from_str(&answer(&run(augmented("run").arg("--json"), b""))).unwrap();
    let told = &judged["augmentation"];
    assert_eq!(told["copies"], 120);
    assert!((110..=120).contains(&told["methods"]["mentions"]["texts"].as_u64().unwrap()), "{told}");
    assert_eq!(told["on_dev"]["after"]["f"], judged["dev"]["ents_f"]);
    assert!(told["on_dev"]["interval"]["low"].is_number());
    let copies = fs::read_to_string(place.path("run/augmented.jsonl")).unwrap();
    assert_eq!(copies.lines().count(), 120);
    let first: Value = serde_json::from_str(copies.lines().next().unwrap()).unwrap();
    assert_eq!((&first["meta"]["augmented"]["source"], &first["meta"]["augmented"]["copy"]), (&1.into(), &1.into()));
    assert!(fs::read_to_string(place.path("run/report.html")).unwrap().contains("<h2>Augmentation</h2>"));

    // The measure is the run that whoever asks for no copies gets.
    answer(&run(place.train("plain", 12).args(["--set", "augment.copies=0"]), b""));
    assert_eq!(weights(&place.path("run/without-augmentation")), weights(&place.path("plain")));
    assert_ne!(weights(&place.path("run")), weights(&place.path("plain")));
    // It changes nothing in the run that it measures, and is left out on demand.
    answer(&run(augmented("alone").args(["--set", "augment.compare=false"]), b""));
    assert_eq!(weights(&place.path("run")), weights(&place.path("alone")));
    assert!(!place.path("alone/without-augmentation").exists());
    // What the model was trained on are the texts of the file.
    let trained_on = |run: &str| fs::read(place.path(run).join("model-last/nomen-trained-on.bin")).unwrap();
    assert_eq!(trained_on("run"), trained_on("plain"));

    let message = refusal(&run(augmented("run").args(["--resume", "--set", "augment.mentions=0.5"]), b""));
    assert!(message.contains("settings.augment.mentions") && message.contains("data.augmented"), "{message}");
}

#[test]
fn wrong_files_of_names_are_told_with_their_line() {
    let place = Place::new();
    fs::write(place.path("names.tsv"), "PER\tEva\nCITY\tRome\n").unwrap();
    let mut command = place.train("run", 4);
    command.args(["--set", "augment.copies=1", "--set", "augment.mentions=0.5", "--set"]);
    command.arg(format!("augment.mentions_file={}", place.path("names.tsv").display()));
    let message = refusal(&run(&mut command, b""));
    assert!(message.contains("names.tsv:2: no text has an entity of the label `CITY`"), "{message}");
    assert!(!place.path("run").exists());
}

#[test]
fn wrong_settings_and_data_are_refused_before_anything_is_made() {
    let place = Place::new();
    let refused = |arguments: &[&str]| refusal(&run(place.train("run", 4).args(arguments), b""));
    let message = refused(&["--set", "learning_rat=1"]);
    assert!(message.contains("did you mean `learning_rate`?"), "{message}");
    let message = refused(&["--set", "per_device_train_batch_size=8"]);
    assert!(message.contains("train_batch_size"), "{message}");
    fs::write(place.path("run.toml"), "seed = 1\nlearning_rate = -1\n").unwrap();
    let message = refused(&["--config", place.path("run.toml").to_str().unwrap()]);
    assert!(message.contains("run.toml:2:"), "{message}");
    fs::write(
        place.path("train.jsonl"),
        "{\"text\":\"a\",\"entities\":[]}\n{\"text\":\"b\",\"entities\":[{\"start\":0,\"end\":9,\"label\":\"X\"}]}\n",
    )
    .unwrap();
    let message = refused(&[]);
    assert!(message.contains("train.jsonl:2:"), "{message}");
    fs::write(place.path("train.jsonl"), "{\"text\":\"a\",\"entities\":[]}\n").unwrap();
    let message = refused(&[]);
    assert!(message.contains("train.jsonl: none of its 1 texts has an entity"), "{message}");
    assert!(!place.path("run").exists());
}

#[test]
fn a_base_that_does_not_exist_is_told_with_the_forms_of_a_base() {
    let place = Place::new();
    let mut command = place.train("run", 4);
    command.args(["--base", "minilmm"]);
    assert_eq!(run(&mut command, b"").status.code(), Some(2), "--base twice is wrong usage");
    let output = run(nomen().args(["train", "--train", "x", "--out", "y", "--base", "minilmm"]), b"");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("did you mean `minilm`?"), "{message}");
}

#[test]
fn a_run_that_diverges_exits_with_1() {
    let place = Place::new();
    let output = run(place.train("run", 400).args(["--set", "learning_rate=5", "--set", "eval_every=10"]), b"");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("diverged") && told.contains("learning_rate"), "{told}");
    assert!(!place.path("run/model-last").exists(), "no model is made from it");
}

#[test]
fn a_second_run_into_the_same_folder_is_refused() {
    let place = Place::new();
    let endless = || {
        let mut command = place.train("run", 4_000_000);
        command.args(["--set", "eval_every=10"]);
        command
    };
    let mut first = endless().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(first.stderr.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap().contains("dev F1")), "the first run ended");
    let message = refusal(&run(endless().arg("--resume"), b""));
    assert!(message.contains("another run is training into this folder"), "{message}");
    first.kill().unwrap();
    first.wait().unwrap();
}

/// Starts a run of many steps, lets it evaluate twice and sends a signal; its exit code.
#[cfg(unix)]
fn interrupt(command: &mut Command, signal: &str) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stderr.take().unwrap());
    let mut evaluations = 0;
    for line in told.lines() {
        evaluations += u32::from(line.unwrap().contains("dev F1"));
        if evaluations == 2 {
            let kill = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
            assert!(kill.unwrap().success());
        }
    }
    child.wait().unwrap().code()
}

#[cfg(unix)]
#[test]
fn a_signal_saves_and_leaves_and_resume_ends_with_the_same_weights() {
    let place = Place::new();
    let steps = |out: &str| {
        let mut command = place.train(out, 1500);
        command.args(["--set", "eval_every=25"]);
        command
    };
    answer(&run(&mut steps("whole"), b""));
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let out = format!("stopped{signal}");
        assert_eq!(interrupt(&mut steps(&out), signal), Some(code), "{signal}");
        assert!(!place.path(&out).join("model-last").exists(), "the run was stopped, not finished");
        let output = run(steps(&out).arg("--resume"), b"");
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(told.contains("going on from step"), "{told}");
        answer(&output);
        assert!(weights(&place.path(&out)) == weights(&place.path("whole")), "{signal}: the weights differ");
    }
}

#[cfg(unix)]
#[test]
fn a_comparison_that_was_stopped_is_gone_on_with_before_its_run() {
    let place = Place::new();
    let augmented = |out: &str| {
        let mut command = place.train(out, 600);
        command.args(["--set", "eval_every=25", "--set", "augment.copies=1", "--set", "augment.mentions=0.5"]);
        command
    };
    answer(&run(&mut augmented("whole"), b""));
    assert_eq!(interrupt(&mut augmented("stopped"), "-TERM"), Some(143));
    let without = place.path("stopped/without-augmentation");
    assert!(without.is_dir() && !without.join("model-last").exists(), "the comparison was stopped");
    answer(&run(augmented("stopped").arg("--resume"), b""));
    for run in ["", "without-augmentation"] {
        let weights = |out: &str| weights(&place.path(out).join(run));
        assert!(weights("stopped") == weights("whole"), "{run}: the weights differ");
    }
}

#[test]
fn quickstart_leaves_a_folder_of_someones_own_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "Dear Anna").unwrap();
    let message = refusal(&run(nomen().args(["quickstart", "--out"]).arg(folder.path()), b""));
    assert!(message.contains("something else") && message.contains("--out"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn quickstart_without_a_network_says_what_it_tried() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = nomen();
    command.args(["quickstart", "--out"]).arg(folder.path().join("first"));
    command.env("NOMEN_OFFLINE", "1").env("NOMEN_CACHE", folder.path().join("cache"));
    let message = refusal(&run(&mut command, b""));
    assert!(message.contains("hf:sentence-transformers/all-MiniLM-L6-v2") && message.contains("offline"), "{message}");
}
