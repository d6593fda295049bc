//! A small HTTP/1.1 server on the loopback that answers as a test says, and breaks off where a test says.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::bases::Files;

/// A request: its path, and the value of `Authorization`.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub path: String,
    pub token: Option<String>,
}

/// What to answer.
#[derive(Clone)]
pub enum Reply {
    /// These bytes, head and body.
    Bytes(Vec<u8>),
    /// These bytes, and the end of the connection.
    Last(Vec<u8>),
    /// These bytes, and then silence.
    Silence(Vec<u8>),
}

pub struct Server {
    pub url: String,
    pub seen: Arc<Mutex<Vec<Request>>>,
    /// Bytes sent so far; the server falls dead when they reach its limit.
    pub sent: Arc<AtomicU64>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::dying_after(u64::MAX, answer)
    }

    /// Sends `limit` bytes in all, then ends every connection.
    pub fn dying_after(limit: u64, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let (answer, log, count) = (Arc::new(answer), Arc::clone(&seen), Arc::clone(&sent));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log, count) = (Arc::clone(&answer), Arc::clone(&log), Arc::clone(&count));
                thread::spawn(move || serve(&stream.unwrap(), limit, &*answer, &log, &count));
            }
        });
        Self { url, seen, sent }
    }

    pub fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.path.clone()).collect()
    }
}

fn serve(
    mut stream: &TcpStream,
    limit: u64,
    answer: &dyn Fn(&Request) -> Reply,
    seen: &Mutex<Vec<Request>>,
    sent: &AtomicU64,
) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => head.push(line),
            }
        }
        let path = head[0].split(' ').nth(1).unwrap().to_owned();
        let token = head
            .iter()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .map(|(_, value)| value.trim().to_owned());
        let request = Request { path, token };
        seen.lock().unwrap().push(request.clone());
        let reply = answer(&request);
        let (Reply::Bytes(bytes) | Reply::Last(bytes) | Reply::Silence(bytes)) = &reply;
        let before = sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        let left = limit.saturating_sub(before).min(bytes.len() as u64) as usize;
        if stream.write_all(&bytes[..left]).is_err() || left < bytes.len() {
            return;
        }
        match reply {
            Reply::Bytes(_) => {}
            Reply::Last(_) => return,
            Reply::Silence(_) => thread::sleep(Duration::from_secs(60)),
        }
    }
}

/// An answer of this status with extra head lines.
pub fn reply(status: u16, lines: &[String], body: &[u8]) -> Reply {
    let mut bytes = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n", body.len()).into_bytes();
    for line in lines {
        bytes.extend(format!("{line}\r\n").as_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    Reply::Bytes(bytes)
}

/// Answers with the files of the repository `tiny/base`, revision `main`, as the Hub does.
pub fn repository(files: Files) -> impl Fn(&Request) -> Reply + Send + Sync {
    move |request| match request.path.strip_prefix("/tiny/base/resolve/main/").and_then(|name| files.get(name)) {
        Some(bytes) => reply(200, &[], bytes),
        None => reply(404, &[], b"Entry not found"),
    }
}
