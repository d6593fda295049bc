//! A small MLflow server: as much of the REST interface as is used, kept in memory, with faults on demand.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};

/// What a server does wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Answers with this status.
    Status(u16),
    /// Closes the connection before it reads.
    Close,
    /// Does what is asked and closes the connection without an answer.
    LoseAnswer,
    /// Answers what is no HTTP.
    Garbage,
    /// Answers with a page, as a web server does that is no MLflow.
    Page,
    /// Answers late.
    Slow(Duration),
}

/// What a server keeps.
#[derive(Debug, Default)]
pub struct Kept {
    pub experiments: Vec<String>,
    pub runs: Vec<KeptRun>,
    pub files: BTreeMap<String, Vec<u8>>,
    /// Method and path of each request, in order.
    pub requests: Vec<String>,
    /// `Authorization` of the last request.
    pub authorization: Option<String>,
}

#[derive(Debug, Default)]
pub struct KeptRun {
    pub name: String,
    pub status: String,
    pub tags: BTreeMap<String, String>,
    pub params: BTreeMap<String, String>,
    /// Name, step, time and value as text, in the order of their arrival; equal ones are kept once, as MLflow does.
    pub metrics: Vec<(String, u64, u64, String)>,
}

pub type Memory = Arc<Mutex<Kept>>;

pub struct Server {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server that does wrong what `fault` says of each request, counted from 0.
    pub fn start(memory: &Memory, fault: impl FnMut(usize) -> Fault + Send + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), memory, fault)
    }

    pub fn at(address: SocketAddr, memory: &Memory, mut fault: impl FnMut(usize) -> Fault + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (memory, stopped) = (Arc::clone(memory), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for (count, connection) in listener.incoming().enumerate() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                // Whoever asks may leave at any time.
                let _ = serve(&connection.unwrap(), &memory, fault(count));
            }
        });
        Self { address, stop, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(connection: &TcpStream, memory: &Memory, fault: Fault) -> std::io::Result<()> {
    if fault == Fault::Close {
        return Ok(());
    }
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let request = line.rsplit_once(' ').unwrap_or_default().0.to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let refused = match fault {
        Fault::Status(status) => Some((status, json!({"error_code": "SOME_ERROR", "message": "told to"}).to_string())),
        Fault::Page => Some((200, "<html>a page</html>".to_owned())),
        _ => None,
    };
    if let Fault::Slow(time) = fault {
        thread::sleep(time);
    }
    let (status, answer) = refused.unwrap_or_else(|| {
        let mut kept = memory.lock().unwrap();
        kept.requests.push(request.clone());
        kept.authorization = authorization;
        let (status, answer) = kept.answer(&request, &body);
        // As MLflow, the artifact proxy answers with nothing.
        (status, if answer.is_null() { String::new() } else { answer.to_string() })
    });
    let mut connection = connection;
    match fault {
        Fault::LoseAnswer => Ok(()),
        Fault::Garbage => connection.write_all(b"\x00\xffnonsense\r\n\r\n"),
        _ => write!(
            connection,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        ),
    }
}

impl Kept {
    fn answer(&mut self, request: &str, body: &[u8]) -> (u16, Value) {
        let missing = || (404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is none"}));
        let (method, path) = request.split_once(' ').unwrap();
        if let Some(path) = path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/").filter(|_| method == "PUT") {
            self.files.insert(path.to_owned(), body.to_vec());
            return (200, Value::Null);
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found =
            || body["run_id"].as_str().and_then(|id| id.parse::<usize>().ok()).filter(|id| *id < self.runs.len());
        match path.strip_prefix("/api/2.0/mlflow/").unwrap() {
            "experiments/create" => {
                let name = text(&body["name"]);
                if self.experiments.contains(&name) {
                    return (400, json!({"error_code": "RESOURCE_ALREADY_EXISTS", "message": name}));
                }
                self.experiments.push(name);
                (200, json!({"experiment_id": (self.experiments.len() - 1).to_string()}))
            }
            "runs/search" => {
                let filter = text(&body["filter"]);
                let has = |run: &KeptRun| filter == format!("tags.`nomen.key` = '{}'", run.tags["nomen.key"]);
                match self.runs.iter().position(has) {
                    Some(id) => (200, json!({"runs": [info(id)]})),
                    None => (200, json!({})),
                }
            }
            "runs/create" => {
                let tags = body["tags"].as_array().unwrap();
                let tags = tags.iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect();
                let (name, status) = (text(&body["run_name"]), "RUNNING".to_owned());
                self.runs.push(KeptRun { name, status, tags, ..KeptRun::default() });
                (200, json!({"run": info(self.runs.len() - 1)}))
            }
            "runs/update" => {
                let Some(id) = found() else { return missing() };
                self.runs[id].status = text(&body["status"]);
                (200, json!({"run_info": {}}))
            }
            "runs/set-tag" => {
                let Some(id) = found() else { return missing() };
                self.runs[id].tags.insert(text(&body["key"]), text(&body["value"]));
                (200, json!({}))
            }
            "runs/log-batch" => {
                let Some(id) = found() else { return missing() };
                let run = &mut self.runs[id];
                for param in body["params"].as_array().unwrap() {
                    let (key, value) = (text(&param["key"]), text(&param["value"]));
                    if run.params.get(&key).is_some_and(|known| *known != value) {
                        return (400, json!({"error_code": "INVALID_PARAMETER_VALUE", "message": key}));
                    }
                    run.params.insert(key, value);
                }
                let metrics = body["metrics"].as_array().unwrap();
                assert!(metrics.len() <= 1000);
                for metric in metrics {
                    let number = |key: &str| metric[key].as_u64().unwrap();
                    let metric =
                        (text(&metric["key"]), number("step"), number("timestamp"), metric["value"].to_string());
                    if !run.metrics.contains(&metric) {
                        run.metrics.push(metric);
                    }
                }
                (200, json!({}))
            }
            path => {
                let name = path.strip_prefix("experiments/get-by-name?experiment_name=").unwrap();
                match self.experiments.iter().position(|known| known == name) {
                    Some(id) => {
                        (200, json!({"experiment": {"experiment_id": id.to_string(), "lifecycle_stage": "active"}}))
                    }
                    None => missing(),
                }
            }
        }
    }
}

fn info(id: usize) -> Value {
    json!({"info": {"run_id": id.to_string(), "artifact_uri": format!("mlflow-artifacts:/0/{id}/artifacts")}})
}
