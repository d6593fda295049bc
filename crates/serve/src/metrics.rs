//! What an operator can watch: counters and histograms in the text format of Prometheus.
//!
//! Labels are bounded: routes are those that the server knows and `other`, models and entity labels are those of the models.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Seconds.
const TIMES: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0];
/// Word pieces.
const PIECES: [f64; 10] = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];
const CONFIDENCES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
/// Labels of entities that are counted under their own names; the names of others might have no end.
const MOST_LABELS: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLabel {
    label: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    model: String,
    version: String,
}

/// All metrics of a server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    rejected: Family<Reason, Counter>,
    request_time: Histogram,
    queue_time: Histogram,
    tokenize_time: Histogram,
    inference_time: Histogram,
    batch_pieces: Histogram,
    entities: Family<OfLabel, Counter>,
    labels: std::sync::Mutex<std::collections::HashSet<String>>,
    confidence: Histogram,
    windowed: Counter,
    failed: Counter,
    queue_pieces: Gauge,
    ready: Gauge,
    connections: Gauge,
    models: Family<Version, Gauge<i64, std::sync::atomic::AtomicI64>>,
    loads: Family<Reason, Counter<u64, AtomicU64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let times = || Histogram::new(TIMES);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            rejected: Family::default(),
            request_time: times(),
            queue_time: times(),
            tokenize_time: times(),
            inference_time: times(),
            batch_pieces: Histogram::new(PIECES),
            entities: Family::default(),
            labels: std::sync::Mutex::default(),
            confidence: Histogram::new(CONFIDENCES),
            windowed: Counter::default(),
            failed: Counter::default(),
            queue_pieces: Gauge::default(),
            ready: Gauge::default(),
            connections: Gauge::default(),
            models: Family::default(),
            loads: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let Self { registry, .. } = self;
        registry.register("nomen_http_requests", "Requests by route and status code", self.requests.clone());
        registry.register("nomen_rejected", "Requests that got no answer, by reason", self.rejected.clone());
        registry.register(
            "nomen_request_duration_seconds",
            "From a request's header to its answer",
            self.request_time.clone(),
        );
        registry.register(
            "nomen_queue_duration_seconds",
            "From a text's arrival until its batch begins",
            self.queue_time.clone(),
        );
        registry.register(
            "nomen_tokenize_duration_seconds",
            "Cutting the texts of a request into pieces",
            self.tokenize_time.clone(),
        );
        registry.register("nomen_inference_duration_seconds", "A batch in the model", self.inference_time.clone());
        registry.register("nomen_batch_tokens", "Word pieces of a batch", self.batch_pieces.clone());
        registry.register("nomen_entities", "Entities that were found, by label", self.entities.clone());
        registry.register("nomen_entity_confidence", "Scores of the entities that were found", self.confidence.clone());
        registry.register(
            "nomen_windowed_texts",
            "Texts that are longer than the model's window",
            self.windowed.clone(),
        );
        registry.register("nomen_failed_batches", "Batches in which the model failed", self.failed.clone());
        registry.register("nomen_queue_tokens", "Word pieces that wait or are computed", self.queue_pieces.clone());
        registry.register("nomen_ready", "Whether all models answer", self.ready.clone());
        registry.register("nomen_connections", "Open connections", self.connections.clone());
        registry.register("nomen_model_info", "The version of each model that answers", self.models.clone());
        registry.register("nomen_model_loads", "Loads of models by outcome", self.loads.clone());
    }

    /// All metrics as text.
    pub fn text(&self, queue_pieces: usize, is_ready: bool) -> String {
        self.queue_pieces.set(i64::try_from(queue_pieces).unwrap_or(i64::MAX));
        self.ready.set(i64::from(is_ready));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// A request on a route was answered.
    pub fn request(&self, route: &'static str, code: u16, took: Duration) {
        self.requests.get_or_create(&Request { route, code }).inc();
        self.request_time.observe(took.as_secs_f64());
    }

    /// A request got no answer.
    pub fn rejected(&self, reason: &'static str) {
        self.rejected.get_or_create(&Reason { reason }).inc();
    }

    /// The texts of a request were cut into pieces.
    pub fn tokenized(&self, took: Duration, windowed: usize) {
        self.tokenize_time.observe(took.as_secs_f64());
        self.windowed.inc_by(windowed as u64);
    }

    /// A text waited so long.
    pub fn queued(&self, waited: Duration) {
        self.queue_time.observe(waited.as_secs_f64());
    }

    /// A batch was computed.
    pub fn batch(&self, pieces: usize, took: Duration) {
        self.batch_pieces.observe(pieces as f64);
        self.inference_time.observe(took.as_secs_f64());
    }

    /// A batch failed.
    pub fn failed(&self) {
        self.failed.inc();
    }

    /// An entity was found.
    pub fn entity(&self, label: &str, score: Option<f32>) {
        let mut labels = self.labels.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_known = labels.contains(label) || (labels.len() < MOST_LABELS && labels.insert(label.to_owned()));
        drop(labels);
        let label = if is_known { label } else { "other" };
        self.entities.get_or_create(&OfLabel { label: label.to_owned() }).inc();
        if let Some(score) = score {
            self.confidence.observe(f64::from(score));
        }
    }

    /// These versions answer now.
    pub fn models<'m>(&self, live: impl Iterator<Item = (&'m str, &'m str)>) {
        self.models.clear();
        for (model, version) in live {
            let version = Version { model: model.to_owned(), version: version.to_owned() };
            self.models.get_or_create(&version).set(1);
        }
    }

    /// A model was loaded, or could not be.
    pub fn loaded(&self, worked: bool) {
        self.loads.get_or_create(&Reason { reason: if worked { "done" } else { "failed" } }).inc();
    }

    /// A connection was opened.
    pub fn connected(&self) {
        self.connections.inc();
    }

    /// A connection was closed.
    pub fn disconnected(&self) {
        self.connections.dec();
    }
}
