//! The studio as it is started.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{answer, nomen, refusal, run};

struct Open {
    child: Child,
    url: String,
    said: BufReader<ChildStderr>,
}

impl Open {
    fn start(command: &mut Command) -> Self {
        let command = command.args(["--addr", "127.0.0.1:0"]).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("the studio is open at ") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
        }
        let url = line.split("open at ").nth(1).unwrap().split("/p/").next().unwrap().to_owned();
        Self { child, url, said }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut reply = agent.get(format!("{}{path}", self.url)).call().unwrap();
        (reply.status().as_u16(), reply.body_mut().read_to_string().unwrap())
    }

    /// Ends it as a service manager does.
    #[cfg(unix)]
    fn stop(mut self) -> String {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn studio(folder: &Path) -> Command {
    let mut command = nomen();
    command.current_dir(folder).env("USER", "olga").arg("studio");
    command
}

fn project(folder: &Path) {
    answer(&run(nomen().arg("init").arg(folder), b""));
    let texts = [
        json!({"id": "a", "text": "👩‍🔬 Anna lives in Rome", "entities": [{"start": 4, "end": 8, "label": "PER"}]}),
        json!({"id": "b", "text": "שלום לרונה", "entities": [{"start": 5, "end": 10, "label": "PER"}]}),
        json!({"id": "c", "text": "nobody yet"}),
    ];
    let lines: Vec<String> = texts.iter().map(Value::to_string).collect();
    fs::write(folder.join("texts.jsonl"), lines.join("\n")).unwrap();
}

#[cfg(unix)]
#[test]
fn texts_come_in_are_shown_and_go_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("news");
    project(&folder);
    assert_eq!(answer(&run(studio(&folder).args(["import", "texts.jsonl"]), b"")), "texts.jsonl: 3 new, 0 known\n");
    let again = answer(&run(studio(&folder).args(["import", "texts.jsonl", "--json"]), b""));
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap()[0]["known"], 3);
    let open = Open::start(&mut studio(&folder));
    let (status, page) = open.get("/p/news/annotate");
    assert_eq!(status, 200);
    assert!(page.contains("nobody yet") && page.contains("olga"), "{page}");
    let (_, described) = open.get("/api/v1/projects/news");
    assert_eq!(serde_json::from_str::<Value>(&described).unwrap()["labels"][0]["name"], "PER");
    let said = open.stop();
    assert!(said.contains("stopping"), "{said}");
    assert!(!said.contains("Anna"), "{said}");
    let written = answer(&run(studio(&folder).args(["export", "out.jsonl", "--history"]), b""));
    assert!(written.starts_with("out.jsonl: 2 documents"), "{written}");
    let first = fs::read(folder.join("out.jsonl")).unwrap();
    answer(&run(studio(&folder).args(["export", "out.jsonl"]), b""));
    assert_eq!(fs::read(folder.join("out.jsonl")).unwrap(), first);
    let line: Value = serde_json::from_slice(first.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!((&line["entities"][0]["start"], &line["entities"][0]["end"]), (&json!(4), &json!(8)));
    assert_eq!(fs::read_to_string(folder.join("out.jsonl.history.jsonl")).unwrap().lines().count(), 3);
}

#[test]
fn accounts_are_made_with_passwords_that_are_no_arguments_and_then_everybody_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("news");
    project(&folder);
    let add = |name: &str, input: &[u8]| {
        run(studio(&folder).args(["user", "add", name, "--role", "owner", "--password-file", "-"]), input)
    };
    assert!(refusal(&add("ann", b"short\n")).contains("8 characters"));
    assert_eq!(answer(&add("ann", b"correct horse\n")), "ann is owner of news\n");
    let asked = run(studio(&folder).args(["user", "add", "ben", "--role", "annotator"]), b"secret secret\n");
    assert!(refusal(&asked).contains("--password-file"));
    let people = answer(&run(studio(&folder).args(["user", "list"]), b""));
    assert_eq!(people, "ann  owner\nolga  owner  (without a password)\n");
    let open = Open::start(&mut studio(&folder));
    assert_eq!(open.get("/p/news/annotate").0, 401);
    assert_eq!(open.get("/api/v1/projects").0, 401);
}

#[test]
fn a_studio_that_would_be_open_to_everybody_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("news");
    project(&here);
    let refused = refusal(&run(studio(&here).args(["--addr", "0.0.0.0:0"]), b""));
    assert!(refused.contains("nomen studio user add"), "{refused}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    assert!(refusal(&run(studio(&here).args(["--addr", &addr]), b"")).contains(&addr));
    let nowhere = refusal(&run(&mut studio(folder.path()), b""));
    assert!(nowhere.contains("--db"), "{nowhere}");
    let broken = refusal(&run(studio(&here).args(["--db", "nomen.toml"]), b""));
    assert!(broken.contains("nomen.toml"), "{broken}");
}

#[test]
fn the_description_of_the_interface_is_printed() {
    let api: Value = serde_json::from_str(&answer(&run(nomen().args(["studio", "--openapi"]), b""))).unwrap();
    assert!(api["paths"]["/api/v1/projects/{project}/queue/next"]["get"].is_object());
}
