//! What is told of the server's requests: lines on standard error and traces, written where nobody waits for them.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, UNIX_EPOCH},
};

use serde_json::{Value, json};
use serve::{Config, Loaded, Observe, RequestRecord, Tagged};

use super::{
    Predictions,
    traces::{Sending, Traces},
};

/// Lines that wait to be written; more of them are left out, and counted.
const WAITING: usize = 10_000;

/// Tells of requests.
pub struct Observer {
    lines: SyncSender<Value>,
    left_out: Arc<AtomicU64>,
    requests: bool,
    traces: Option<Traces>,
    predictions: Option<Arc<Predictions>>,
}

/// What writes it down.
pub struct Told {
    lines: SyncSender<Value>,
    writer: JoinHandle<()>,
    sending: Option<Sending>,
}

/// Ends the writer.
const END: Value = Value::Null;

impl Told {
    /// Begins to tell of what a server of these settings does.
    pub fn start(config: &Config, predictions: Option<Arc<Predictions>>) -> anyhow::Result<(Self, Observer)> {
        let (lines, received) = sync_channel(WAITING);
        let left_out = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&left_out);
        let writer = thread::Builder::new().name("nomen-log".to_owned()).spawn(move || write(&received, &count))?;
        let (traces, sending) = config.traces.as_ref().map(Traces::start).transpose()?.unzip();
        let observer = Observer { lines: lines.clone(), left_out, requests: config.log.requests, traces, predictions };
        Ok((Self { lines, writer, sending }, observer))
    }

    /// Waits until everything is written and sent. The observer must be gone.
    pub fn finish(self) {
        if self.lines.send(END).is_ok() {
            let _ = self.writer.join();
        }
        if let Some(sending) = self.sending {
            sending.finish();
        }
    }
}

impl Observer {
    fn tell(&self, line: Value) {
        if self.lines.try_send(line).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Observe for Observer {
    fn request(&self, request: &RequestRecord) {
        if let Some(traces) = &self.traces {
            traces.request(request);
        }
        if !self.requests {
            return;
        }
        let RequestRecord { id, began, route, method, status, key, took, work, .. } = request;
        self.tell(json!({
            "time": began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            "event": "request",
            "id": id,
            "method": method,
            "route": route,
            "status": status,
            "key": key,
            "seconds": seconds(*took),
            "model": work.model,
            "texts": work.texts,
            "pieces": work.pieces,
            "entities": work.entities,
            "tokenize_seconds": seconds(work.tokenized),
            "queue_seconds": seconds(work.queued),
            "inference_seconds": seconds(work.computed),
        }));
    }

    fn tagged(&self, tagged: &Tagged<'_>) {
        if let Some(predictions) = &self.predictions {
            predictions.record(tagged);
        }
    }

    fn loaded(&self, outcome: &Result<Loaded, String>) {
        self.tell(match outcome {
            Ok(Loaded { model, version, before }) => {
                json!({"event": "model loaded", "model": model, "version": version, "before": before})
            }
            Err(problem) => json!({"event": "model not loaded", "problem": problem}),
        });
    }

    fn failed(&self, problem: &str) {
        self.tell(json!({"event": "failed", "problem": problem}));
    }
}

/// Seconds, to the microsecond.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e6
}

fn write(lines: &Receiver<Value>, left_out: &AtomicU64) {
    while let Ok(line) = lines.recv() {
        if line == END {
            return;
        }
        let mut text = line.to_string();
        text.push('\n');
        // Nobody may be reading there, which must not stop the work.
        let _ = io::stderr().write_all(text.as_bytes());
        let missing = left_out.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let _ = writeln!(io::stderr(), "{}", json!({"event": "lines left out", "count": missing}));
        }
    }
}
