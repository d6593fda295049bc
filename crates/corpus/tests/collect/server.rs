//! A small HTTP/1.1 server on the loopback that answers as a test says.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// What to answer.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Send the body a byte at a time with this pause.
    pub drip: Option<Duration>,
}

impl Reply {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type", kind.to_owned())], body: body.into(), drip: None }
    }

    pub fn page(body: impl AsRef<str>) -> Self {
        Self::new(200, "text/html; charset=utf-8", body.as_ref())
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    pub fn redirect(to: impl Into<String>) -> Self {
        Self::new(302, "text/plain", "").with("Location", to)
    }

    pub fn missing() -> Self {
        Self::new(404, "text/plain", "not here")
    }
}

pub struct Server {
    pub url: String,
    /// Paths that were asked for, and when.
    seen: Arc<Mutex<Vec<(String, Instant)>>>,
}

impl Server {
    /// Answers every path; `/robots.txt` too.
    pub fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(&stream.unwrap(), &*answer, &log));
            }
        });
        Self { url, seen }
    }

    /// Answers with these pages, and that there is no robots.txt.
    pub fn with(pages: Vec<(&'static str, Reply)>) -> Self {
        let pages: Vec<(&str, Mutex<Reply>)> = pages.into_iter().map(|(path, page)| (path, Mutex::new(page))).collect();
        Self::start(move |path| match pages.iter().find(|(known, _)| *known == path) {
            Some((_, page)) => {
                let page = page.lock().unwrap();
                Reply { status: page.status, headers: page.headers.clone(), body: page.body.clone(), drip: page.drip }
            }
            None => Reply::missing(),
        })
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    pub fn times(&self) -> Vec<Instant> {
        self.seen.lock().unwrap().iter().map(|(_, time)| *time).collect()
    }
}

fn serve(mut stream: &TcpStream, answer: &dyn Fn(&str) -> Reply, seen: &Mutex<Vec<(String, Instant)>>) {
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
        assert!(head.iter().any(|line| line.to_ascii_lowercase().starts_with("user-agent: nomen/")), "{head:?}");
        let path = head[0].split(' ').nth(1).unwrap().to_owned();
        seen.lock().unwrap().push((path.clone(), Instant::now()));
        let reply = answer(&path);
        let line = |(name, value): &(&str, String)| format!("{name}: {value}\r\n");
        let headers: String = reply.headers.iter().map(line).collect::<Vec<_>>().concat();
        let (status, length) = (reply.status, reply.body.len());
        let head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {length}\r\n{headers}\r\n");
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
        let sent = match reply.drip {
            None => stream.write_all(&reply.body),
            Some(pause) => reply.body.chunks(1).try_for_each(|byte| {
                thread::sleep(pause);
                stream.write_all(byte)
            }),
        };
        if sent.is_err() {
            return;
        }
    }
}
