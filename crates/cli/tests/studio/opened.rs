//! A project with its accounts, and the studio that is open on it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver::Browser;

pub const PASSWORD: &str = "correct horse battery";

/// A project in a folder of its own.
pub struct Project {
    folder: TempDir,
    name: &'static str,
}

/// The studio as a process; it ends with the value.
pub struct Studio {
    child: Child,
    pub url: String,
    /// Its end of the pipe stays open: what the studio says later must not end it.
    _said: BufReader<ChildStderr>,
}

/// A base of random weights that is tiny, as a project calls it.
pub const TINY_BASE: &str = "path:tiny";

impl Project {
    /// A project with this schema, made as users make it.
    pub fn init(name: &'static str, schema: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), name };
        let mut init = Command::new(env!("CARGO_BIN_EXE_nomen"));
        succeeds(init.arg("init").arg(project.path("")), "");
        fs::write(project.path("schema.toml"), schema).unwrap();
        let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/testdata/bert");
        std::os::unix::fs::symlink(tiny, project.path("tiny")).unwrap();
        project
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(self.name).join(file)
    }

    /// `nomen studio` in the project's folder.
    pub fn studio(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nomen"));
        command.current_dir(self.path("")).env("USER", "olga").arg("studio").args(words);
        command
    }

    /// An account with [`PASSWORD`].
    pub fn account(&self, name: &str, role: &str) {
        let mut add = self.studio(&["user", "add", name, "--role", role, "--password-file", "-"]);
        succeeds(&mut add, PASSWORD);
    }

    /// Imports texts that nobody has annotated.
    pub fn import(&self, texts: &[String]) {
        let lines: Vec<String> = texts.iter().map(|text| json!({"text": text}).to_string()).collect();
        fs::write(self.path("texts.jsonl"), lines.join("\n")).unwrap();
        succeeds(&mut self.studio(&["import", "texts.jsonl"]), "");
    }

    /// What is annotated, as `nomen studio export` writes it.
    pub fn export(&self, words: &[&str]) -> Vec<Value> {
        succeeds(self.studio(&["export", "out.jsonl"]).args(words), "");
        let written = fs::read_to_string(self.path("out.jsonl")).unwrap();
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Starts the studio.
    pub fn open(&self) -> Studio {
        let mut command = self.studio(&["--addr", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("the studio is open at ") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the studio ended");
        }
        let url = line.split("open at ").nth(1).unwrap().split("/p/").next().unwrap().to_owned();
        Studio { child, url, _said: said }
    }

    /// The address of a page of the project.
    pub fn page(&self, studio: &Studio, page: &str) -> String {
        format!("{}/p/{}/{page}", studio.url, self.name)
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens a page and logs in there, by keyboard.
pub fn log_in(browser: &Browser, page: &str, name: &str) {
    browser.open(page);
    browser.wait("document.activeElement?.id === 'name'");
    browser.write(name);
    browser.press(&["Tab"]);
    browser.write(PASSWORD);
    browser.press(&["Enter"]);
    browser.wait("document.readyState === 'complete' && document.querySelector('.top .user') !== null");
    // A page that asks for a login says so to the browser, too.
    let log = browser.log();
    assert!(log.iter().all(|line| line.contains("401")), "{log:?}");
}

/// Runs a command with this standard input, which it must not refuse.
#[track_caller]
fn succeeds(command: &mut Command, input: &str) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A command that reads nothing has closed its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}
