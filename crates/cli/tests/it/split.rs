//! `nomen split`: parts on disk that hold everything once, and a manifest that says what they are.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{answer, nomen, refusal, run, tiny_model};

/// A folder with a file of annotated texts.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("all.jsonl", &lines(0..100));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn split(&self, files: &[&str]) -> Command {
        let mut command = nomen();
        command.arg("split").args(files.iter().map(|file| self.path(file))).arg("--out").arg(self.path("out"));
        command
    }

    fn manifest(&self) -> Value {
        serde_json::from_str(&self.read("out/split.json")).unwrap()
    }
}

/// Annotated texts of which none resembles another.
fn lines(range: std::ops::Range<usize>) -> String {
    let line = |at: usize| {
        let text = format!("Anna{at} met{at} someone{at} in{at} Rome{at}");
        let label = if at.is_multiple_of(4) { "NURSE" } else { "PER" };
        let entity = json!({"start": 0, "end": 4, "label": label});
        let day = at % 28 + 1;
        json!({"id": format!("d{at}"), "text": text, "entities": [entity], "meta": {"date": format!("2024-01-{day:02}")}}).to_string() + "\n"
    };
    range.map(line).collect()
}

fn sorted(texts: &[String]) -> Vec<&str> {
    let mut lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_parts_hold_every_text_once_and_the_manifest_says_so() {
    let place = Place::new();
    let table = answer(&run(&mut place.split(&["all.jsonl"]), b""));
    let parts = ["train", "dev", "test"].map(|name| place.read(&format!("out/{name}.jsonl")));
    assert_eq!(parts.each_ref().map(|part| part.lines().count()), [80, 10, 10]);
    let all = place.read("all.jsonl");
    let of = |text: &str| -> Vec<Value> {
        let mut values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for value in &mut values {
            value.as_object_mut().unwrap().remove("complete");
        }
        values.sort_by_key(ToString::to_string);
        values
    };
    assert_eq!(of(&parts.concat()), of(&all), "what is said of a text stays");

    let manifest = place.manifest();
    assert_eq!(
        manifest["plan"],
        json!({"sizes": {"ratio": [80.0, 10.0, 10.0]}, "group_by": ["near"], "similarity": 0.7, "seed": 42})
    );
    assert_eq!(manifest["sources"][0]["texts"], 100);
    let entities = &manifest["parts"][0]["entities"];
    assert_eq!((&entities["NURSE"], &entities["PER"]), (&json!(20), &json!(60)));
    let hashes: BTreeSet<String> = ["train", "dev", "test"]
        .iter()
        .flat_map(|part| manifest["texts"][part].as_array().unwrap())
        .map(ToString::to_string)
        .collect();
    assert_eq!(hashes.len(), 100);
    let head: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["train", "dev", "test"]);
    assert!(table.contains("NURSE") && table.contains("20 (80.0%)") && table.contains("train --train"), "{table}");
}

#[test]
fn the_same_seed_gives_the_same_files_and_another_seed_others() {
    let place = Place::new();
    let parts = |seed: &str| {
        answer(&run(place.split(&["all.jsonl"]).args(["--force", "--seed", seed]), b""));
        ["train", "dev", "test"].map(|name| place.read(&format!("out/{name}.jsonl")))
    };
    let once = parts("7");
    let other = parts("8");
    assert_ne!(once, other);
    assert_eq!(sorted(&once), sorted(&other));
    assert_eq!(once, parts("7"));
}

#[test]
fn a_split_is_replaced_only_by_force_and_then_whole() {
    let place = Place::new();
    answer(&run(&mut place.split(&["all.jsonl"]), b""));
    let before = place.read("out/test.jsonl");
    let message = refusal(&run(place.split(&["all.jsonl"]).args(["--seed", "9"]), b""));
    assert!(message.contains("--force") && message.contains("out"), "{message}");
    assert_eq!(place.read("out/test.jsonl"), before);
    answer(&run(place.split(&["all.jsonl"]).args(["--force", "--ratio", "90,10,0"]), b""));
    assert!(!place.path("out/test.jsonl").exists(), "the part of the split before is gone");

    fs::remove_file(place.path("out/split.json")).unwrap();
    let message = refusal(&run(&mut place.split(&["all.jsonl"]), b""));
    assert!(message.contains("train.jsonl exists already"), "{message}");
    let message = refusal(&run(
        nomen().arg("split").arg(place.path("out/train.jsonl")).arg("--force").arg("--out").arg(place.path("out")),
        b"",
    ));
    assert!(message.contains("one of the files to split"), "{message}");
}

#[test]
fn conll_stays_conll_in_its_scheme_unless_it_would_lose_something() {
    let place = Place::new();
    let sentence = |at: usize| format!("Anna{at} S-PER\nsang{at} O\nin{at} O\nNew{at} B-LOC\nYork{at} E-LOC\n\n");
    place.write("all.conll", &(0..20).map(sentence).collect::<String>());
    answer(&run(place.split(&["all.conll"]).args(["--ratio", "50,25,25"]), b""));
    let train = place.read("out/train.conll");
    assert!(train.contains("\tS-PER\n") && train.contains("\tE-LOC\n"), "{train}");

    place.write("noted.conll", &format!("# a comment\n{}", (0..20).map(sentence).collect::<String>()));
    let output = run(place.split(&["noted.conll"]).args(["--ratio", "50,25,25", "--force"]), b"");
    answer(&output);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("written as jsonl") && told.contains("metadata"), "{told}");
    assert!(!place.path("out/train.conll").exists() && place.read("out/train.jsonl").lines().count() == 10);

    answer(&run(place.split(&["all.conll", "all.jsonl"]).arg("--force"), b""));
    let parts = ["train", "dev", "test"].map(|name| place.read(&format!("out/{name}.jsonl")).lines().count());
    assert_eq!(parts, [96, 12, 12]);
}

#[test]
fn documents_of_two_files_are_never_taken_for_one() {
    let place = Place::new();
    let file = |from: usize| -> String {
        let sentence = |at: usize| {
            format!(
                "-DOCSTART- O\n\nAnna{at} B-PER\nsang{at} O\nloudly{at} O\n\nAll{at} O\nclapped{at} O\nlong{at} O\n\n"
            )
        };
        (from..from + 6).map(sentence).collect()
    };
    place.write("one.conll", &file(0));
    place.write("two.conll", &file(6));
    answer(&run(place.split(&["one.conll", "two.conll"]).args(["--group-by", "document", "--ratio", "50,25,25"]), b""));
    let parts = ["train", "dev", "test"].map(|name| place.read(&format!("out/{name}.conll")));
    assert_eq!(parts.each_ref().map(|part| part.matches("-DOCSTART-").count()), [6, 3, 3]);
    for part in &parts {
        for document in part.split("-DOCSTART-\tO\n\n").skip(1) {
            let number = document.trim_start_matches("Anna").split('\t').next().unwrap();
            assert!(document.contains(&format!("All{number}\t")), "a document is cut: {document}");
        }
    }
}

#[test]
fn a_protected_test_set_stays_and_what_repeats_it_is_left_out() {
    let place = Place::new();
    let near = lines(200..201)
        .replace("Rome200", "Rome200 and then left again for good with all the others of that house 200");
    let old = near.clone() + &lines(300..305);
    place.write("old-test.jsonl", &old);
    let repeated = near.replace("d200", "again").replace("that house", "THIS house");
    place.write("new.jsonl", &(lines(100..140) + &lines(303..304) + &repeated));
    let output = run(
        place.split(&["all.jsonl", "new.jsonl"]).arg("--protect").arg(place.path("old-test.jsonl")).arg("--json"),
        b"",
    );
    let printed: Value = serde_json::from_str(&answer(&output)).unwrap();
    let names: Vec<&Value> = printed["parts"].as_array().unwrap().iter().map(|part| &part["name"]).collect();
    assert_eq!(names, ["train", "dev", "left-out", "test"]);
    assert_eq!(place.read("out/test.jsonl"), old, "the test set is as it was");
    let left = place.read("out/left-out.jsonl");
    assert!(left.lines().count() == 2 && left.contains("d303") && left.contains("again"), "{left}");
    let learned = place.read("out/train.jsonl") + &place.read("out/dev.jsonl");
    assert!(learned.lines().count() == 140 && !learned.contains("THIS house"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("2 texts repeat"));

    // The next round protects the same set, which lies where the parts go.
    answer(&run(place.split(&["all.jsonl"]).arg("--force").arg("--protect").arg(place.path("out/test.jsonl")), b""));
    assert_eq!(place.read("out/test.jsonl"), old);
    assert!(!place.path("out/left-out.jsonl").exists());
}

#[test]
fn folds_are_folders_with_train_and_test() {
    let place = Place::new();
    answer(&run(place.split(&["all.jsonl"]).args(["--folds", "5"]), b""));
    let mut tested = Vec::new();
    for fold in 1..=5 {
        let [train, test] = ["train", "test"].map(|name| place.read(&format!("out/fold-{fold}/{name}.jsonl")));
        assert_eq!((train.lines().count(), test.lines().count()), (80, 20));
        assert!(test.lines().all(|line| !train.contains(line)));
        tested.push(test);
    }
    assert_eq!(sorted(&tested).len(), 100);
    assert_eq!(place.manifest()["parts"][4]["file"], "fold-5/test.jsonl");
}

#[test]
fn by_date_the_table_shows_from_when_to_when_a_part_goes() {
    let place = Place::new();
    let table = answer(&run(place.split(&["all.jsonl"]).args(["--by-date", "meta.date"]), b""));
    assert!(table.contains("oldest") && table.contains("2024-01-28"), "{table}");
    let message = refusal(&run(place.split(&["all.jsonl"]).args(["--by-date", "meta.day", "--force"]), b""));
    assert!(message.contains("all.jsonl: text 1 has nothing under `meta.day`"), "{message}");
}

#[test]
fn training_warns_of_parts_that_have_changed_and_of_texts_of_the_test_set() {
    let place = Place::new();
    answer(&run(&mut place.split(&["all.jsonl"]), b""));
    let train = |out: &str| {
        let mut command = nomen();
        command
            .arg("train")
            .arg("--train")
            .arg(place.path("out/train.jsonl"))
            .arg("--dev")
            .arg(place.path("out/dev.jsonl"));
        command.arg("--base").arg(format!("path:{}", tiny_model().display())).arg("--out").arg(place.path(out));
        let output = run(command.args(["--set", "max_steps=2"]), b"");
        answer(&output);
        String::from_utf8(output.stderr).unwrap()
    };
    let told = train("whole");
    assert!(!told.contains("split.json"), "{told}");

    let test = place.read("out/test.jsonl");
    let leaked = test.lines().next().unwrap();
    place.write("out/train.jsonl", &(place.read("out/train.jsonl") + leaked + "\n"));
    let told = train("leaked");
    assert!(told.contains("train.jsonl has changed since the split"), "{told}");
    assert!(told.contains("1 of its 81 texts belong to the test set") && told.contains("document 81"), "{told}");

    place.write("out/split.json", "[]");
    let told = train("broken");
    assert!(told.contains("split.json is passed over"), "{told}");
}

#[test]
fn what_cannot_be_split_is_refused_and_nothing_is_made() {
    let place = Place::new();
    let refused = |arguments: &[&str]| refusal(&run(place.split(&["all.jsonl"]).args(arguments), b""));
    for (arguments, part) in [
        (&["--count", "10,10,10"][..], "come to 30"),
        (&["--ratio", "50,50"], "train, dev, test"),
        (&["--group-by", "meta.source"], "no text has the metadata `source`"),
        (&["--folds", "101"], "would be empty"),
        (&["--ratio", "1000,1,1"], "`dev` would be empty"),
    ] {
        let message = refused(arguments);
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
    for wrong in [
        &["--ratio", "80,10,10", "--folds", "3"][..],
        &["--ratio", "a,b,c"],
        &["--group-by", "source"],
        &["--by-date", "date"],
        &["--similarity", "1.5"],
        &["--folds", "3", "--by-date", "meta.date"],
    ] {
        assert_eq!(run(place.split(&["all.jsonl"]).args(wrong), b"").status.code(), Some(2), "{wrong:?}");
    }
    let message = refusal(&run(&mut place.split(&["all.jsonl", "all.jsonl"]), b""));
    assert!(message.contains("named twice"), "{message}");
    place.write("broken.jsonl", "{\"text\":\"a\",\"entities\":[]}\n{\n");
    let message = refusal(&run(&mut place.split(&["all.jsonl", "broken.jsonl"]), b""));
    assert!(message.contains("broken.jsonl:2:"), "{message}");
    assert!(!place.path("out").exists());
    assert!(Path::new(&place.path("all.jsonl")).exists());
}
