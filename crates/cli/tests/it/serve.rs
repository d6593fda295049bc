//! `nomen serve`, the program: a real bundle behind it, its settings, its log, its end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{answer, nomen, other_tiny_model, refusal, run, tiny_model};

/// A server on a free port, and what it says on standard error.
struct Serving {
    child: Child,
    url: String,
    said: BufReader<ChildStderr>,
}

impl Serving {
    fn start(command: &mut Command) -> Self {
        let command = command.args(["--addr", "127.0.0.1:0"]).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut serving = Self { child, url: String::new(), said };
        while serving.url.is_empty() {
            let mut line = String::new();
            assert!(serving.said.read_line(&mut line).unwrap() > 0, "it ended");
            serving.url = line.trim().split_once(" answers at ").map_or_else(String::new, |(_, url)| url.to_owned());
        }
        serving
    }

    fn tag(&self, more: &[&str], texts: &str) -> String {
        answer(&run(nomen().args(["tag", "--server", &self.url]).args(more), texts.as_bytes()))
    }

    /// Ends it as a service manager does, and gives the lines that it still said.
    #[cfg(unix)]
    fn stop(mut self) -> String {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let begun = Instant::now();
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        said
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(model: &Path) -> Command {
    let mut command = nomen();
    command.args(["serve", "--model"]).arg(model);
    command
}

const TEXTS: &str = "Anna moved from Ærø to Rome 👩‍🔬\n\nnothing\nA. B. C. and D. went to the bank of Oslo, naïvely.\n";

#[cfg(unix)]
#[test]
fn a_server_finds_what_the_model_finds_and_ends_when_it_is_told() {
    let serving = Serving::start(&mut serve(&tiny_model()));
    let here =
        |more: &[&str]| answer(&run(nomen().args(["tag", "--model"]).arg(tiny_model()).args(more), TEXTS.as_bytes()));
    assert_eq!(serving.tag(&["--json"], TEXTS), here(&["--json"]));
    assert_eq!(serving.tag(&[], TEXTS), here(&[]));
    let said = serving.stop();
    let requests: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(
        requests.iter().any(|line| line["route"] == "/v1/tag" && line["status"] == 200 && line["texts"] == 4),
        "{said}"
    );
    assert!(!said.contains("Anna"), "{said}");
}

#[cfg(unix)]
#[test]
fn the_log_of_a_server_is_what_monitor_reads() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let setting = format!("predictions.folder=\"{}\"", log.display());
    let serving = Serving::start(serve(&tiny_model()).args(["--set", &setting]));
    serving.tag(&[], TEXTS);
    serving.stop();
    let lines: String = fs::read_dir(&log)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert!(!lines.contains("Anna"));
    let against = run(nomen().arg("monitor").arg(&log).arg("--against").arg(&log).args(["--json"]), b"");
    let report: Value = serde_json::from_str(&answer(&against)).unwrap();
    assert!(report.is_object());
}

#[test]
fn a_folder_whose_model_changes_is_served_anew_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    copy(&tiny_model(), &model);
    let serving = Serving::start(serve(&model).args(["--set", "reload_every_s=0.1"]));
    let version = || -> String {
        let health: Value = ureq_get(&format!("{}/health", serving.url));
        health["models"][0]["version"].as_str().unwrap_or_default().to_owned()
    };
    let first = version();
    let weights = fs::read(model.join("model.safetensors")).unwrap();
    fs::write(model.join("model.safetensors"), &weights[..weights.len() - 10]).unwrap();
    let begun = Instant::now();
    loop {
        let health: Value = ureq_get(&format!("{}/health", serving.url));
        if health["models"][0]["problem"].as_str().is_some_and(|problem| problem.contains("model.safetensors")) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{health}");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(version(), first);
    fs::remove_dir_all(&model).unwrap();
    copy(&other_tiny_model(), &model);
    let begun = Instant::now();
    while version() == first {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(serving.tag(&[], TEXTS).lines().count(), 4);
}

#[test]
fn wrong_settings_are_named_and_nothing_starts() {
    let refused = |more: &[&str]| refusal(&run(serve(&tiny_model()).args(more), b""));
    assert!(refused(&["--set", "limits.text=3"]).contains("did you mean `limits.texts`?"));
    assert!(refused(&["--addr", "0.0.0.0:0"]).contains("--insecure"));
    assert!(refused(&["--set", "precision=int4"]).contains("f32 or int8"));
    assert!(refused(&["--set", "traces.endpoint=https://x"]).contains("http://"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    assert!(refused(&["--addr", &addr]).contains(&addr));
    assert!(refusal(&run(nomen().arg("serve"), b"")).contains("--model"));
    let none = refusal(&run(&mut serve(Path::new("no/such/model")), b""));
    assert!(none.contains("no/such/model"), "{none}");
}

#[test]
fn a_new_key_opens_the_server_that_its_lines_are_given_to() {
    let folder = tempfile::tempdir().unwrap();
    let printed = answer(&run(nomen().args(["serve", "--new-key", "team"]), b""));
    let key = printed.lines().next().unwrap().rsplit(' ').next().unwrap();
    assert!(!printed[printed.find("[[keys]]").unwrap()..].contains(key));
    let settings = folder.path().join("serve.toml");
    fs::write(&settings, &printed).unwrap();
    let serving = Serving::start(serve(&tiny_model()).arg("--config").arg(&settings));
    let tag = |key: Option<&str>| {
        let mut command = nomen();
        command.args(["tag", "--server", &serving.url]);
        run(command.envs(key.map(|key| ("NOMEN_SERVER_KEY", key))), b"Anna\n")
    };
    assert!(refusal(&tag(None)).contains("NOMEN_SERVER_KEY"));
    assert_eq!(answer(&tag(Some(key))).lines().count(), 1);
}

#[test]
fn the_printed_settings_are_settings() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("serve.toml");
    fs::write(&settings, answer(&run(nomen().args(["serve", "--print-config"]), b""))).unwrap();
    Serving::start(serve(&tiny_model()).arg("--config").arg(&settings));
    let api: Value = serde_json::from_str(&answer(&run(nomen().args(["serve", "--openapi"]), b""))).unwrap();
    assert!(api["paths"]["/v1/tag"].is_object());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn ureq_get(url: &str) -> Value {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let text = agent.get(url).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}
