//! A server on a free port, its model, and a client of plain sockets.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use nomen_serve::{
    App, Config, Encoded, Handle, Models, Observe, Open, Opened, Piece, RequestRecord, Server, Tagged, Tagger,
};
use schema::{Entity, Label, RecognizeError, Span};
use serde_json::{Value, json};

/// Finds words that begin with a capital letter: `PLACE` where they end in `o`, else `NAME`. A word is a piece.
pub struct Capitals {
    tags: Vec<String>,
    pub slow: Duration,
    pub control: Arc<Control>,
}

/// What a test does to a model, and sees of it.
#[derive(Default)]
pub struct Control {
    /// The pieces of each batch.
    pub batches: Mutex<Vec<usize>>,
    /// What is to be opened next is broken.
    pub is_broken: AtomicBool,
    /// The version that is to be opened next.
    pub version: AtomicUsize,
}

impl Capitals {
    pub fn new(slow: Duration, control: Arc<Control>) -> Self {
        let tags = ["O", "B-NAME", "I-NAME", "B-PLACE", "I-PLACE"].map(str::to_owned).to_vec();
        Self { tags, slow, control }
    }
}

fn words(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (character.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                spans.push(Span::new(from, at).unwrap());
                start = None;
            }
            _ => {}
        }
    }
    spans
}

fn label(word: &str) -> Option<&'static str> {
    let is_name = word.chars().next().is_some_and(char::is_uppercase);
    is_name.then_some(if word.ends_with('o') { "PLACE" } else { "NAME" })
}

impl Tagger for Capitals {
    fn encode(&self, text: &str) -> Result<Encoded, RecognizeError> {
        let words = words(text).len();
        Ok(Encoded::new(words, words.div_ceil(100).max(1), text.to_owned()))
    }

    fn entities(&self, texts: &[&Encoded]) -> Result<Vec<Vec<Entity>>, RecognizeError> {
        self.control.batches.lock().unwrap().push(texts.iter().map(|text| text.pieces).sum());
        thread::sleep(self.slow);
        let entities = |text: &&Encoded| {
            let text: &String = text.of_model().unwrap();
            assert!(!text.contains("panic"), "a text that the model cannot bear");
            let found = words(text).into_iter().filter_map(|span| {
                let label = label(span.quote(text))?;
                Some(Entity { score: Some(0.75), ..Entity::new(span, Label::new(label).unwrap()) })
            });
            found.collect()
        };
        Ok(texts.iter().map(entities).collect())
    }

    fn pieces(&self, texts: &[&Encoded]) -> Result<Vec<Vec<Piece>>, RecognizeError> {
        let pieces = |text: &&Encoded| {
            let text: &String = text.of_model().unwrap();
            let piece = |(index, span): (usize, Span)| {
                let tag = match label(span.quote(text)) {
                    None => 0,
                    Some("NAME") => 1,
                    Some(_) => 3,
                };
                let probabilities = (0..5).map(|at| if at == tag { 0.8 } else { 0.05 }).collect();
                Piece {
                    range: span.range(),
                    token: span.quote(text).to_owned(),
                    index: index + 1,
                    continues: false,
                    probabilities,
                }
            };
            words(text).into_iter().enumerate().map(piece).collect()
        };
        Ok(texts.iter().map(pieces).collect())
    }

    fn tags(&self) -> &[String] {
        &self.tags
    }

    fn words(&self, tokens: &[&str]) -> String {
        tokens.join(" ")
    }
}

struct Opening {
    slow: Duration,
    control: Arc<Control>,
}

impl Open for Opening {
    fn open(&self, _: &str) -> Result<Opened, String> {
        if self.control.is_broken.load(Ordering::SeqCst) {
            return Err("its weights are cut short".to_owned());
        }
        let version = self.control.version.load(Ordering::SeqCst);
        Ok(Opened {
            tagger: Box::new(Capitals::new(self.slow, Arc::clone(&self.control))),
            version: format!("{version:064}"),
            card: json!({"labels": ["NAME", "PLACE"]}),
            mark: version.to_string(),
        })
    }

    fn mark(&self, _: &str) -> Result<String, String> {
        Ok(self.control.version.load(Ordering::SeqCst).to_string())
    }
}

/// Keeps what it is told.
#[derive(Default)]
pub struct Kept {
    pub requests: Mutex<Vec<RequestRecord>>,
    pub tagged: Mutex<Vec<String>>,
}

impl Observe for Kept {
    fn request(&self, request: &RequestRecord) {
        self.requests.lock().unwrap().push(request.clone());
    }

    fn tagged(&self, tagged: &Tagged<'_>) {
        self.tagged.lock().unwrap().push(tagged.text.to_owned());
    }
}

/// A server that answers until the test is over.
pub struct Running {
    pub addr: SocketAddr,
    pub control: Arc<Control>,
    pub kept: Arc<Kept>,
    pub handle: Handle,
    pub app: Arc<App>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    /// Stops it and waits until it is gone.
    pub fn stop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A server whose model takes no time.
pub fn serve(change: impl FnOnce(&mut Config)) -> Running {
    serve_slowly(Duration::ZERO, change)
}

/// A server whose model takes so long for every batch.
pub fn serve_slowly(slow: Duration, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config { addr: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
    config.models.insert("news".to_owned(), "unused".into());
    change(&mut config);
    let control = Arc::new(Control::default());
    let opening = Opening { slow, control: Arc::clone(&control) };
    let default = config.default_model().unwrap().to_owned();
    let models = Models::new(Box::new(opening), config.models.keys().cloned().collect(), default);
    let kept = Arc::new(Kept::default());
    let server = Server::bind(App::new(config, models, Arc::clone(&kept) as Arc<dyn Observe>)).unwrap();
    let app = Arc::clone(server.app());
    for name in app.models.names() {
        app.load(name).unwrap();
    }
    let (addr, handle) = (server.addr(), server.handle());
    let thread = thread::spawn(move || server.run().unwrap());
    Running { addr, control, kept, handle, app, thread: Some(thread) }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Connects.
pub fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// One request on a connection of its own; `headers` are whole lines.
pub fn ask(addr: SocketAddr, line: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut stream = connect(addr);
    let host = if headers.iter().any(|header| header.to_lowercase().starts_with("host:")) {
        ""
    } else {
        "Host: localhost\r\n"
    };
    let says_length = |header: &str| header.starts_with("transfer-encoding:") || header.starts_with("content-length:");
    let length = if headers.iter().any(|header| says_length(&header.to_lowercase())) {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let headers: String = headers.iter().flat_map(|header| [*header, "\r\n"]).collect();
    let head = format!("{line} HTTP/1.1\r\n{host}Connection: close\r\n{length}{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have answered before it has read everything.
    let _ = stream.write_all(body);
    reply(&mut stream)
}

/// Reads an answer until the connection ends.
pub fn reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
        panic!("no answer: {}", String::from_utf8_lossy(&bytes));
    });
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let mut body = bytes[end + 4..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Reply { status, head, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        whole.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[(end + 4 + length).min(bytes.len())..];
        if length == 0 {
            break;
        }
    }
    whole
}

/// Posts JSON.
pub fn post(addr: SocketAddr, path: &str, body: &Value) -> Reply {
    ask(addr, &format!("POST {path}"), &["Content-Type: application/json"], body.to_string().as_bytes())
}

/// Gets a page.
pub fn get(addr: SocketAddr, path: &str) -> Reply {
    ask(addr, &format!("GET {path}"), &[], b"")
}
