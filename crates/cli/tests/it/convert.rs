//! `nomen convert` and `nomen init`.

use std::fs;

use crate::{answer, nomen, refusal, run};

const ROWS: &str = "Ada\tB-PER\nLovelace\tI-PER\nwrote\tO\n\nin\tO\nLondon\tI-LOC\n";

#[test]
fn a_file_goes_through_every_format_and_comes_back_with_its_entities() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in.conll"), ROWS).unwrap();
    let formats =
        ["jsonl", "spacy-list", "prodigy", "doccano", "label-studio", "argilla", "gliner", "csv", "tsv", "conll"];
    for format in formats {
        let (there, back) = (path(&format!("there-{format}.gz")), path(&format!("back-{format}.jsonl")));
        answer(&run(nomen().arg("convert").arg(path("in.conll")).arg(&there).args(["--to", format]), b""));
        assert_eq!(fs::read(&there).unwrap()[..2], [0x1f, 0x8b], "{format}");
        answer(&run(nomen().arg("convert").arg(&there).arg(&back), b""));
        let lines = fs::read_to_string(back).unwrap();
        assert!(lines.contains(r#"[{"start":0,"end":12,"label":"PER"}]"#), "{format}: {lines}");
        assert!(lines.contains(r#"[{"start":3,"end":9,"label":"LOC"}]"#), "{format}: {lines}");
    }
}

#[test]
fn what_was_repaired_and_what_is_not_kept_is_told_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.json");
    let command = &mut nomen();
    let output = run(
        command.args(["convert", "-", "--from", "conll", "--to", "spacy-list", "--json"]).arg(&target),
        ROWS.as_bytes(),
    );
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(told.contains("1 tags repaired") && told.contains("line 6: I-LOC taken as B-LOC"), "{told}");
    assert!(told.contains("out.json: not kept: token boundaries (2 documents, the first is number 1)"), "{told}");
    let counted: serde_json::Value = serde_json::from_str(&answer(&output)).unwrap();
    assert_eq!((counted["documents"].as_u64(), counted["repaired_tags"].as_u64()), (Some(2), Some(1)));
    assert_eq!(counted["not_kept"]["token boundaries"], 2);
}

#[test]
fn nothing_is_written_where_a_place_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in.jsonl"), "{\"text\":\"a\"}\n{\"text\":1}\n{\"text\":\"b\\nc\",\"entities\":[]}\n").unwrap();
    let convert = |target: &str, more: &[&str]| {
        run(nomen().arg("convert").arg(path("in.jsonl")).arg(path(target)).args(more), b"")
    };
    let message = refusal(&convert("out.txt", &[]));
    assert!(message.contains("2 places cannot be used") && message.contains("in.jsonl:2: field `text`"), "{message}");
    assert!(message.contains("document 2 cannot be written as text: its text holds a line end"), "{message}");
    assert!(!path("out.txt").exists() && fs::read_dir(folder.path()).unwrap().count() == 1);

    let message = refusal(&convert("out.json", &[]));
    assert!(message.contains("tells no format that can be written; name one with --to: jsonl, conll"), "{message}");
    let message = refusal(&convert("in.jsonl", &["--force"]));
    assert!(message.contains("is read and cannot be written at the same time"), "{message}");
    fs::write(path("there.jsonl"), "mine").unwrap();
    let message = refusal(&convert("there.jsonl", &[]));
    assert!(message.contains("is there already") && fs::read(path("there.jsonl")).unwrap() == b"mine", "{message}");
}

#[test]
fn a_project_gets_the_labels_of_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let (data, project) = (folder.path().join("a.conll"), folder.path().join("p"));
    fs::write(&data, format!("{ROWS}\n\"Ada\"\tB-PER\n")).unwrap();
    let told = answer(&run(nomen().arg("init").arg(&project).arg("--from").arg(&data), b""));
    assert!(told.contains("PER  2 entities"), "{told}");
    let schema = fs::read_to_string(project.join("schema.toml")).unwrap();
    let read: toml::Table = schema.parse().unwrap();
    let labels = read["labels"].as_array().unwrap();
    assert_eq!(labels[0]["name"].as_str(), Some("LOC"));
    assert_eq!(labels[1]["examples"][0].as_str(), Some("\"Ada\""));
    assert!(project.join("data").is_dir() && project.join("nomen.toml").is_file());
    let message = refusal(&run(nomen().arg("init").arg(&project), b""));
    assert!(message.contains("is there already"), "{message}");
}

#[test]
fn inside_a_project_commands_find_its_files_and_outside_they_ask() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("p");
    answer(&run(nomen().arg("init").arg(&project), b""));
    let check = || run(nomen().arg("check").current_dir(project.join("data")), b"");
    assert!(refusal(&check()).contains("the project has no data yet"));
    let line = "{\"text\":\"Rome \",\"entities\":[{\"start\":0,\"end\":5,\"label\":\"PLACE\"}]}\n";
    fs::write(project.join("data/train.jsonl"), line).unwrap();
    let found = check();
    let told = String::from_utf8(found.stdout).unwrap();
    assert!(found.status.code() == Some(1) && told.contains("train.jsonl:1: "), "{told}");

    for (command, missing) in
        [(&["train"][..], "--out"), (&["evaluate", "--model", "m"], "--data"), (&["check"], "FILE")]
    {
        let message = refusal(&run(nomen().args(command).current_dir(folder.path()), b""));
        assert!(message.contains(&format!("{missing} is missing; give it, or work in a project")), "{message}");
    }
}

#[test]
fn a_command_that_cannot_be_told_something_names_the_line_of_convert_that_can() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let tasks = r#"[{"id":1,"data":{"title":"a","body":"b"},"annotations":[]}]"#;
    let doubtful = "{\"text\":\"👩 Anna Berg\",\"label\":[[2,6,\"PER\"]]}\n".repeat(2);
    for (name, text, said) in [
        ("export.jsonl", doubtful.as_str(), "--offsets code-points"),
        ("tasks.json", tasks, "--text-field NAME"),
        ("table.csv", "title,body\na,b\n", "--text-field NAME"),
        ("rows.jsonl", "{\"tokens\":[\"Anna\"],\"ner_tags\":[1]}\n", "--tag-names O,B-PER,I-PER,..."),
    ] {
        let source = file(name, text);
        let stem = source.rsplit_once('.').unwrap().0;
        let out = folder.path().join("out").display().to_string();
        let message = refusal(&run(nomen().args(["split", &source, "--out", &out]), b""));
        let line = format!("nomen convert {source} {stem}.nomen.jsonl {said}");
        assert!(message.ends_with(&format!("{line}\n")), "{message}");
        let told = refusal(&run(nomen().args(["convert", &source, &format!("{stem}.x.jsonl")]), b""));
        assert!(!told.contains("nomen.jsonl"), "{told}");
    }
}
