//! A server that speaks OpenAI's chat completions as it is told to.

#![allow(dead_code)] // several test programs include it, and each uses a part

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// What the server does with a request.
pub enum Act {
    /// Answers with these words.
    Say(String),
    /// Answers with these words, which end because there were too many.
    Cut(String),
    /// Answers with this status, header and body.
    Status(u16, &'static str, String),
    /// Says nothing for so long.
    Hang(Duration),
    /// Closes the connection in the middle of an answer.
    Reset,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub at: Instant,
    pub head: String,
    pub body: Value,
}

impl Asked {
    /// The text that the request asks about, without its marks.
    pub fn text(&self) -> String {
        let messages = self.body["messages"].as_array().unwrap();
        let asked = messages.iter().rev().filter(|message| message["role"] == "user");
        let marked = asked.map(|message| message["content"].as_str().unwrap()).find(|text| text.starts_with("<text "));
        let inside = marked.unwrap().split_once(">\n").unwrap().1;
        inside.rsplit_once("\n</text ").unwrap().0.to_owned()
    }

    /// Whether it is a second question about an answer that could not be read.
    pub fn is_again(&self) -> bool {
        self.body["messages"].to_string().contains("This answer cannot be used")
    }
}

/// The server.
pub struct Scripted {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Starts a server that does as `script` says, which gets the request and how many came before.
    pub fn new(script: impl Fn(&Asked, usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, heard) = (Arc::new(script), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, heard) = (Arc::clone(&script), Arc::clone(&heard));
                thread::spawn(move || while serve(stream.as_ref().unwrap(), &*script, &heard).is_some() {});
            }
        });
        Self { url, asked }
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Serves one request; `None` where the connection is over.
fn serve(stream: &TcpStream, script: &dyn Fn(&Asked, usize) -> Act, heard: &Mutex<Vec<Asked>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = String::new();
    while !lines.ends_with("\r\n\r\n") {
        if reader.read_line(&mut lines).ok()? == 0 {
            return None;
        }
    }
    let length =
        lines.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    let asked = Asked { at: Instant::now(), head: lines, body: serde_json::from_slice(&body).ok()? };
    let before = {
        let mut heard = heard.lock().unwrap();
        heard.push(asked.clone());
        heard.len() - 1
    };
    let completion = |content: &str, finish: &str| {
        let usage = json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120});
        let choice = json!({"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish});
        json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})
            .to_string()
    };
    let (status, header, body) = match script(&asked, before) {
        Act::Say(content) => (200, "", completion(&content, "stop")),
        Act::Cut(content) => (200, "", completion(&content, "length")),
        Act::Status(status, header, body) => (status, header, body),
        Act::Hang(time) => {
            thread::sleep(time);
            return None;
        }
        Act::Reset => {
            let _ = (&mut &*stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\"");
            return None;
        }
    };
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    let reply = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{header}content-length: {length}\r\n\r\n{body}"
    );
    (&mut &*stream).write_all(reply.as_bytes()).ok()
}

/// An answer with these quotes, each with a label.
pub fn quotes(quotes: &[(&str, &str)]) -> String {
    let row = |(quote, label): &(&str, &str)| json!({"quote": quote, "label": label, "before": ""});
    json!({"entities": quotes.iter().map(row).collect::<Vec<_>>()}).to_string()
}
