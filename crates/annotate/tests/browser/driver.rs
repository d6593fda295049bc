//! A browser and the part of the `WebDriver` protocol (W3C) that these tests speak.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use ureq::Agent;

/// Browsers are large: one at a time.
static ONE: Mutex<()> = Mutex::new(());

/// How long anything may take that a page does by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// A browser with one window; it ends with the value.
pub struct Browser {
    agent: Agent,
    session: String,
    driver: Child,
    /// Its end of the pipe stays open: what the driver says later must not end it.
    _output: BufReader<ChildStdout>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Browser {
    /// A new browser without a past, when those of other tests have ended.
    pub fn start() -> Self {
        Self::launch(Some(ONE.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Another browser, which shares nothing with the first one: somebody else's, who is there at the same time.
    pub fn beside(_first: &Self) -> Self {
        Self::launch(None)
    }

    fn launch(turn: Option<MutexGuard<'static, ()>>) -> Self {
        // Seldom a driver ends before it listens, and no page has been asked for yet: another one is started.
        let (driver, output, port) =
            (0..5).find_map(|_| spawn_driver()).expect("one of five drivers says at which port it listens");
        let agent: Agent = Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let mut browser =
            Self { agent, session: format!("http://127.0.0.1:{port}/session"), driver, _output: output, _turn: turn };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1440,960",
            "--lang=en",
        ];
        let started = browser.post("", &json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}, "unhandledPromptBehavior": "ignore",
        }}}));
        browser.session = format!("{}/{}", browser.session, started["sessionId"].as_str().unwrap());
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = self
            .agent
            .post(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .send(body.to_string())
            .unwrap();
        let status = answer.status();
        let value: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        assert!(status.is_success(), "{path}: {value}");
        value["value"].clone()
    }

    /// Opens an address and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Runs a function body in the page; `arguments` come as `arguments[0]` and so on.
    pub fn run(&self, script: &str, arguments: &Value) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// The value of an expression in the page.
    pub fn value(&self, expression: &str) -> Value {
        self.run(&format!("return {expression};"), &json!([]))
    }

    /// Waits until an expression holds.
    pub fn wait(&self, expression: &str) {
        self.wait_long(expression, PATIENCE);
    }

    /// Waits until an expression holds, for so long at most.
    pub fn wait_long(&self, expression: &str, patience: Duration) {
        let begun = Instant::now();
        while self.value(expression) != Value::Bool(true) {
            assert!(
                begun.elapsed() < patience,
                "never true: {expression}; page: {}; log: {:?}",
                self.value("location.href + '\\n' + document.body.innerText"),
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types a text where the focus is.
    pub fn write(&self, text: &str) {
        let event = |kind: &str, letter: char| json!({"type": kind, "value": letter.to_string()});
        let actions: Vec<Value> =
            text.chars().flat_map(|letter| [event("keyDown", letter), event("keyUp", letter)]).collect();
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Waits until a task is shown, whose number is this one.
    pub fn wait_for_text(&self, number: usize) {
        self.wait(&format!("document.readyState === 'complete' && location.pathname.endsWith('/{number}') && document.querySelector('#keys section') !== null"));
    }

    /// Presses keys one after the other, each written like `Shift+ArrowRight`.
    pub fn press(&self, keys: &[&str]) {
        self.press_often(&keys.iter().map(|key| (*key, 1)).collect::<Vec<_>>());
    }

    /// Presses keys, each so many times; keys before a `+` are held down meanwhile.
    pub fn press_often(&self, keys: &[(&str, usize)]) {
        let mut actions = Vec::new();
        for (key, times) in keys {
            let mut held: Vec<String> = key.split('+').map(code).collect();
            let key = held.pop().unwrap();
            if key.chars().all(|letter| letter.is_ascii_uppercase()) {
                held.push(code("Shift"));
            }
            let event = |kind: &str, key: &String| json!({"type": kind, "value": key});
            actions.extend(held.iter().map(|key| event("keyDown", key)));
            for _ in 0..*times {
                actions.extend([event("keyDown", &key), event("keyUp", &key)]);
            }
            actions.extend(held.iter().rev().map(|key| event("keyUp", key)));
        }
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Drags the mouse from one point of the window to another, with the Alt key held down where `alt`.
    pub fn drag(&self, from: (f64, f64), to: (f64, f64), alt: bool) {
        let wait = || json!({"type": "pause"});
        let step = |(x, y): (f64, f64)| json!({"type": "pointerMove", "duration": 0, "x": x, "y": y});
        let down = if alt { json!({"type": "keyDown", "value": code("Alt")}) } else { wait() };
        let up = if alt { json!({"type": "keyUp", "value": code("Alt")}) } else { wait() };
        self.post(
            "/actions",
            &json!({"actions": [
                {"type": "key", "id": "keyboard", "actions": [down, wait(), wait(), wait(), up]},
                {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                    step(from), {"type": "pointerDown", "button": 0}, step(to), {"type": "pointerUp", "button": 0},
                ]},
            ]}),
        );
    }

    /// Clicks at a point so many times as one multiple click.
    pub fn click(&self, (x, y): (f64, f64), times: usize) {
        let mut actions = vec![json!({"type": "pointerMove", "duration": 0, "x": x, "y": y})];
        for _ in 0..times {
            actions.extend([json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0})]);
        }
        self.post(
            "/actions",
            &json!({"actions": [
                {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions},
            ]}),
        );
    }

    /// The middle of the first element that a selector finds.
    pub fn middle(&self, selector: &str) -> (f64, f64) {
        let found = self.run(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2];",
            &json!([selector]),
        );
        (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
    }

    /// Opens another window, which is the current one from here on; returns the names of the one before and of this.
    pub fn another_window(&self) -> (String, String) {
        let before =
            self.agent.get(format!("{}/window", self.session)).call().unwrap().body_mut().read_to_string().unwrap();
        let before: Value = serde_json::from_str(&before).unwrap();
        let name = |value: &Value| value.as_str().unwrap().to_owned();
        let names = (name(&before["value"]), name(&self.post("/window/new", &json!({"type": "tab"}))["handle"]));
        self.switch(&names.1);
        names
    }

    /// Makes a window the current one.
    pub fn switch(&self, window: &str) {
        self.post("/window", &json!({"handle": window}));
    }

    /// Cuts the browser off the network, or connects it again.
    pub fn offline(&self, offline: bool) {
        let conditions = json!({"offline": offline, "latency": 0, "download_throughput": -1, "upload_throughput": -1});
        self.post("/chromium/network_conditions", &json!({"network_conditions": conditions}));
    }

    /// Asks for light or dark as a system would.
    pub fn scheme(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.post("/goog/cdp/execute", &json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}));
    }

    /// Sets the size of the page's window.
    pub fn size(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.post("/goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}));
    }

    /// What the window shows, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let mut answer = self.agent.get(format!("{}/screenshot", self.session)).call().unwrap();
        let value: Value =
            serde_json::from_str(&answer.body_mut().with_config().limit(1 << 26).read_to_string().unwrap()).unwrap();
        STANDARD.decode(value["value"].as_str().unwrap()).unwrap()
    }

    /// What the browser complained about since it was last asked: scripts that failed, what the policy refused.
    pub fn log(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        entries.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }
}

/// A driver, the rest of what it says, and its port; `None` where it ended before it had one.
fn spawn_driver() -> Option<(Child, BufReader<ChildStdout>, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is in the path; on Debian it is in the package chromium-driver");
    let mut output = BufReader::new(driver.stdout.take().unwrap());
    let port = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok());
    if port.is_none() {
        let _ = driver.wait();
    }
    port.map(|port| (driver, output, port))
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The code of a key in the protocol; a key with one character is that character.
fn code(name: &str) -> String {
    let code = match name {
        "Backspace" => '\u{e003}',
        "Tab" => '\u{e004}',
        "Enter" => '\u{e007}',
        "Shift" => '\u{e008}',
        "Ctrl" => '\u{e009}',
        "Alt" => '\u{e00a}',
        "Escape" => '\u{e00c}',
        "End" => '\u{e010}',
        "Home" => '\u{e011}',
        "ArrowLeft" => '\u{e012}',
        "ArrowUp" => '\u{e013}',
        "ArrowRight" => '\u{e014}',
        "ArrowDown" => '\u{e015}',
        "Delete" => '\u{e017}',
        _ => return name.to_owned(),
    };
    code.to_string()
}
