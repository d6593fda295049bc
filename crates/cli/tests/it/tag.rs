//! `nomen tag`: streams in, entities out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{answer, nomen, refusal, run, tiny_model};

fn tag() -> Command {
    let mut command = nomen();
    command.arg("tag").arg("--model").arg(tiny_model());
    command
}

/// The objects that `--json` prints, each checked: every entity quotes the text at its code points.
#[track_caller]
fn objects(printed: &str) -> Vec<Value> {
    let object = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap();
        let text: Vec<char> = object["text"].as_str().unwrap().chars().collect();
        for entity in object["entities"].as_array().unwrap() {
            let [start, end] = ["start", "end"].map(|end| entity[end].as_u64().unwrap() as usize);
            assert_eq!(text[start..end].iter().collect::<String>(), entity["text"].as_str().unwrap());
            assert!(!entity["label"].as_str().unwrap().is_empty());
            assert!((0.0..=1.0).contains(&entity["score"].as_f64().unwrap()));
        }
        object
    };
    printed.lines().map(object).collect()
}

#[track_caller]
fn texts(printed: &str) -> Vec<String> {
    objects(printed).iter().map(|object| object["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_line_is_answered_in_order_with_code_points() {
    let lines: Vec<String> = (0..500).map(|line| format!("Text {line} by 👩‍🔬 Anna in Ærø, naïve")).collect();
    let input = format!("{}\r\n", lines.join("\n"));
    let printed = answer(&run(tag().arg("--json"), input.as_bytes()));
    assert_eq!(texts(&printed), lines);
    assert!(objects(&printed).iter().all(|object| object.as_object().unwrap().keys().eq(["text", "entities"])));
}

#[test]
fn an_empty_line_is_answered_so_that_line_numbers_stay_aligned() {
    let printed = answer(&run(tag().arg("--json"), b"Anna\n\n \nRome"));
    assert_eq!(texts(&printed), ["Anna", "", " ", "Rome"]);
    assert_eq!(objects(&printed)[1]["entities"], json!([]));
    let marked = answer(&run(&mut tag(), b"Anna\n\n \nRome"));
    assert_eq!(marked.lines().count(), 4);
    assert_eq!(marked.lines().nth(1), Some(""));
    assert!(answer(&run(&mut tag(), b"")).is_empty());
}

#[test]
fn marks_stand_around_the_entities_that_json_tells() {
    let printed = answer(&run(tag().arg("--json"), "Anna 😀 lives in Rome".as_bytes()));
    let object = &objects(&printed)[0];
    assert_ne!(object["entities"], json!([]), "the tiny model finds something");
    let mut text: Vec<char> = object["text"].as_str().unwrap().chars().collect();
    for entity in object["entities"].as_array().unwrap().iter().rev() {
        let [start, end] = ["start", "end"].map(|end| entity[end].as_u64().unwrap() as usize);
        let mark = format!("[{}]({})", entity["text"].as_str().unwrap(), entity["label"].as_str().unwrap());
        text.splice(start..end, mark.chars());
    }
    let marked = answer(&run(&mut tag(), "Anna 😀 lives in Rome".as_bytes()));
    assert_eq!(marked.trim_end(), text.iter().collect::<String>());
}

#[test]
fn a_text_of_100_000_characters_is_tagged_from_end_to_end() {
    let sentence = "Anna Smith moved from Ærø to Rome and wrote a book. ";
    let text = sentence.repeat(100_000 / sentence.chars().count() + 1);
    let printed = answer(&run(tag().arg("--json"), text.as_bytes()));
    let object = &objects(&printed)[0];
    let entities = object["entities"].as_array().unwrap();
    let starts: Vec<u64> = entities.iter().map(|entity| entity["start"].as_u64().unwrap()).collect();
    // In every tenth of the text something is found: nothing was cut.
    for tenth in 0..10 {
        let range = tenth * 10_000..(tenth + 1) * 10_000;
        assert!(starts.iter().any(|start| range.contains(start)), "nothing in {range:?}");
    }
    assert!(object["text"].as_str().unwrap().chars().count() > 100_000);
}

#[test]
fn one_line_is_answered_while_the_next_is_not_written_yet() {
    let mut child =
        tag().arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for text in ["first", "second", "third"] {
        writeln!(stdin, "{text}").unwrap();
        stdin.flush().unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(texts(&line), [text]);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_quietly() {
    for arguments in [&["--json"][..], &[], &["--to", "jsonl"]] {
        let piped = Stdio::piped;
        let mut child = tag().args(arguments).stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || while writeln!(stdin, "Anna lives in Rome and writes").is_ok() {});
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 20]).unwrap();
        drop(stdout);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(!told.contains("error") && !told.contains("panic"), "{told}");
        writer.join().unwrap();
    }
}

#[test]
fn ids_and_metadata_of_jsonl_come_back_and_its_entities_are_the_models() {
    let input =
        r#"{"id":"a1","text":"Anna in Rome","entities":[{"start":0,"end":12,"label":"GOLD"}],"meta":{"page":3}}"#;
    let output = run(tag().arg("--json"), input.as_bytes());
    let object = &objects(&answer(&output))[0];
    assert_eq!((&object["id"], &object["meta"]), (&json!("a1"), &json!({"page": 3})));
    assert!(object["entities"].as_array().unwrap().iter().all(|entity| entity["label"] != "GOLD"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("1 entities are not used"), "{told}");
}

#[test]
fn conll_goes_in_and_comes_out_over_the_same_tokens() {
    let input = "Anna\tB-PER\nSmith\tI-PER\n's\tO\nhouse\tO\n\nin\tO\nÆrø\tB-LOC\n\n";
    let printed = answer(&run(tag().args(["--to", "conll"]), input.as_bytes()));
    let column =
        |text: &str| -> Vec<String> { text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect() };
    assert_eq!(column(&printed), column(input));
    let tags: Vec<&str> = printed.lines().filter_map(|line| line.split('\t').nth(1)).collect();
    assert_eq!(tags.len(), 6);
    assert!(
        tags.iter().all(|tag| ["O", "B-PER", "I-PER", "B-creative-work", "I-creative-work"].contains(tag)),
        "{tags:?}"
    );
    assert!(tags.iter().any(|tag| *tag != "O"), "the tiny model finds something");
}

#[test]
fn an_annotated_file_can_be_written_and_read_back() {
    let texts = "Anna 😀 in Rome\nnothing here\n";
    for format in ["jsonl", "spacy-list"] {
        let printed = answer(&run(tag().args(["--to", format]), texts.as_bytes()));
        let again = answer(&run(tag().args(["--json", "--format", format]), printed.as_bytes()));
        let direct = answer(&run(tag().arg("--json"), texts.as_bytes()));
        assert_eq!(objects(&again), objects(&direct), "{format}");
    }
}

#[test]
fn files_are_read_in_order_and_a_dash_is_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (a, b) = (write("a.txt", "one\ntwo\n"), write("b.jsonl", "{\"text\":\"three\"}\n"));
    let printed = answer(&run(tag().arg("--json").arg(&a).arg("-").arg(&b), b"middle\n"));
    assert_eq!(texts(&printed), ["one", "two", "middle", "three"]);
    let two = |threads| answer(&run(tag().args(["--json", "--threads", threads]).args([&a, &b]), b""));
    assert_eq!(two("2"), two("2"), "files give the same bytes every time");
    assert_eq!(objects(&two("2")), objects(&two("1")));
}

#[test]
fn what_cannot_be_read_is_named_and_what_stood_before_it_is_answered() {
    let output = run(tag().arg("--json"), b"good\nbad \xFF byte\nnever\n");
    let message = refusal(&output);
    assert!(message.contains("standard input:2:") && message.contains("UTF-8"), "{message}");
    assert_eq!(texts(&String::from_utf8(output.stdout).unwrap()), ["good"]);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    fs::write(&file, "{\"text\":\"a\"}\n{\"text\":1}\n").unwrap();
    let message = refusal(&run(tag().arg(&file), b""));
    assert!(message.contains("x.jsonl:2:"), "{message}");
    let message = refusal(&run(tag().arg(folder.path().join("absent.txt")), b""));
    assert!(message.contains("absent.txt"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_as_what_it_is() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for arguments in [&["--json"][..], &[], &["--to", "jsonl"]] {
        let mut command = tag();
        let mut child =
            command.args(arguments).stdin(Stdio::piped()).stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "Anna").unwrap();
        let message = refusal(&child.wait_with_output().unwrap());
        assert!(message.contains("standard output") && message.contains("cannot be written"), "{message}");
    }
}
