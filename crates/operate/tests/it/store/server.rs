//! A small object store on the loopback, which fails as a test says.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use nomen_operate::registry::{Access, Patience, Place};

pub const BUCKET: &str = "models";
pub const SECRET: &str = "a-secret-that-nobody-sees";

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// It is done and answered.
    Done,
    /// It is not done, and the connection ends.
    Dropped,
    /// It is done, and the connection ends without an answer.
    Unanswered,
    /// It is done, and the connection ends in the middle of the answer's body.
    CutShort,
    /// It is not done, and nothing is said for half a second.
    Silent,
    /// It is not done, but refused.
    Refused(u16, &'static str),
}

/// What the store makes of `If-None-Match`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Conditions {
    Kept,
    Ignored,
    Refused,
}

type Fates = Box<dyn FnMut(&Request) -> Fate + Send>;

pub struct Inside {
    pub objects: BTreeMap<String, Vec<u8>>,
    /// Requests since the fates were last set, such as `PUT ner/history/00000001.json`.
    pub seen: Vec<String>,
    pub conditions: Conditions,
    fates: Fates,
}

#[derive(Clone)]
pub struct Store {
    endpoint: String,
    inside: Arc<Mutex<Inside>>,
}

pub struct Request {
    /// How many came before it.
    pub number: usize,
    pub method: String,
    pub key: String,
    query: BTreeMap<String, String>,
    head: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Where the registry of a test lies.
pub fn place() -> Place {
    Place::Store(format!("s3://{BUCKET}/teams a+b/ner").parse().unwrap())
}

impl Store {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let inside = Arc::new(Mutex::new(Inside {
            objects: BTreeMap::new(),
            seen: Vec::new(),
            conditions: Conditions::Kept,
            fates: Box::new(|_| Fate::Done),
        }));
        let store = Self { endpoint, inside };
        let serving = store.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(&stream.unwrap()));
            }
        });
        store
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    /// From now on requests, counted anew, go as `fates` says.
    pub fn fates(&self, fates: impl FnMut(&Request) -> Fate + Send + 'static) {
        let mut inside = self.inside();
        inside.seen.clear();
        inside.fates = Box::new(fates);
    }

    pub fn heal(&self) {
        self.fates(|_| Fate::Done);
    }

    pub fn seen(&self) -> Vec<String> {
        self.inside().seen.clone()
    }

    pub fn access(&self) -> Access {
        Access {
            endpoint: Some(self.endpoint.clone()),
            region: None,
            key: Some("a-key-that-nobody-sees".to_owned()),
            secret: Some(SECRET.to_owned()),
            token: Some("a-token-that-nobody-sees".to_owned()),
            patience: Patience { pauses: vec![Duration::from_millis(1); 3], ..Patience::default() },
        }
    }

    /// The keys below the registry.
    pub fn keys(&self) -> Vec<String> {
        let inside = self.inside();
        inside.objects.keys().map(|key| key.strip_prefix("teams a+b/ner/").unwrap().to_owned()).collect()
    }

    fn serve(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(mut request) = read(&mut reader) {
            let mut inside = self.inside();
            request.number = inside.seen.len();
            inside.seen.push(format!("{} {}", request.method, request.key));
            let fate = (inside.fates)(&request);
            let (status, head, body) = match fate {
                Fate::Dropped => return,
                Fate::Silent => {
                    drop(inside);
                    thread::sleep(Duration::from_millis(500));
                    return;
                }
                Fate::Refused(status, code) => error(status, code),
                _ => inside.answer(&request),
            };
            drop(inside);
            let mut answer =
                format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n{head}\r\n", body.len()).into_bytes();
            answer.extend(&body);
            let sent = match fate {
                Fate::Unanswered => 0,
                Fate::CutShort => answer.len() - body.len().div_ceil(2),
                _ => answer.len(),
            };
            if stream.write_all(&answer[..sent]).is_err() || sent < answer.len() {
                return;
            }
        }
    }
}

type Answer = (u16, String, Vec<u8>);

fn error(status: u16, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>the key {SECRET} is wrong</Message></Error>");
    (status, String::new(), body.into_bytes())
}

impl Inside {
    fn answer(&mut self, request: &Request) -> Answer {
        for name in ["X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential"] {
            assert!(request.query.contains_key(name), "a request without {name}");
        }
        if request.query.contains_key("list-type") {
            return self.list(request);
        }
        match request.method.as_str() {
            "GET" => {
                let Some(bytes) = self.objects.get(&request.key) else { return error(404, "NoSuchKey") };
                let range = request.head.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
                match range.map(|from| from.parse::<usize>().unwrap()) {
                    Some(from) => (206, String::new(), bytes[from..].to_vec()),
                    None => (200, String::new(), bytes.clone()),
                }
            }
            "PUT" => {
                let signed = &request.query["X-Amz-SignedHeaders"];
                assert!(signed.contains("x-amz-checksum-sha256"), "{signed}");
                if let Some(condition) = request.head.get("if-none-match") {
                    assert!(condition == "*" && signed.contains("if-none-match"));
                    match self.conditions {
                        Conditions::Kept if self.objects.contains_key(&request.key) => {
                            return error(412, "PreconditionFailed");
                        }
                        Conditions::Refused => return error(501, "NotImplemented"),
                        _ => {}
                    }
                }
                self.objects.insert(request.key.clone(), request.body.clone());
                (200, "ETag: \"x\"\r\n".to_owned(), Vec::new())
            }
            other => panic!("nobody needs {other}"),
        }
    }

    /// Pages of three names, so that every listing has several.
    fn list(&self, request: &Request) -> Answer {
        let prefix = &request.query["prefix"];
        let mut entries: Vec<(bool, String)> = Vec::new();
        for key in self.objects.keys().filter_map(|key| key.strip_prefix(prefix.as_str())) {
            let entry = match key.split_once('/') {
                Some((folder, _)) => (true, format!("{prefix}{folder}/")),
                None => (false, format!("{prefix}{key}")),
            };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        let from: usize = request.query.get("continuation-token").map_or(0, |token| token.parse().unwrap());
        let mut xml = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
        for (is_folder, key) in entries.iter().skip(from).take(3) {
            let key = encoded(key);
            let _ = if *is_folder {
                write!(xml, "<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>")
            } else {
                write!(xml, "<Contents><Key>{key}</Key><Size>1</Size></Contents>")
            };
        }
        let is_truncated = entries.len() > from + 3;
        let _ = write!(xml, "<IsTruncated>{is_truncated}</IsTruncated><EncodingType>url</EncodingType>");
        if is_truncated {
            let _ = write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", from + 3);
        }
        (200, String::new(), (xml + "</ListBucketResult>").into_bytes())
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) if line == "\r\n" => break,
            Ok(_) => lines.push(line),
        }
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap();
    let key = path.strip_prefix(&format!("/{BUCKET}/")).unwrap();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let head: BTreeMap<String, String> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    assert!(!head.contains_key("transfer-encoding"), "a store needs the length");
    let mut body = vec![0; head.get("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let query = pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect();
    Some(Request { number: 0, method, key: decoded(key), query, head, body })
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        let _ = if byte.is_ascii_alphanumeric() || b"-_./".contains(&byte) {
            text.write_char(byte.into())
        } else {
            write!(text, "%{byte:02X}")
        };
        text
    })
}
