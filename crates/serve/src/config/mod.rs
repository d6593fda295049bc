//! What a server can be told: `serve.toml`, then the environment, then the command line.

mod error;
mod keys;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use error::ConfigError;
pub use keys::NAMES;

/// Prefix of the environment's variables; `NOMEN_SERVE_LIMITS__TEXTS=100` sets `limits.texts`.
pub const ENVIRONMENT: &str = "NOMEN_SERVE_";
/// The commented file of all settings, with their defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// Everything that a server can be told.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Folders of models by name.
    pub models: BTreeMap<String, PathBuf>,
    /// The model of requests that name none.
    pub default: Option<String>,
    /// Number format of the computation, `f32` or `int8`.
    pub precision: Option<String>,
    /// Threads that compute.
    pub threads: Option<usize>,
    /// Seconds between two looks at the models' folders; 0 for none.
    pub reload_every_s: f64,
    /// Answers that are kept, so that a text that comes again costs nothing; 0 for none.
    pub cache_texts: usize,
    /// Serve everybody on a public address.
    pub insecure: bool,
    /// Names by which the server may be called; empty for those of this machine on a loopback address, and all on another.
    pub hosts: Vec<String>,
    /// Origins of web pages that may ask, beside the server's own.
    pub origins: Vec<String>,
    /// Who may ask; empty for everybody.
    pub keys: Vec<Key>,
    /// How much may be asked.
    pub limits: Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Certificates.
    pub tls: Option<Tls>,
    /// What is written down of requests.
    pub log: Log,
    /// What is written down of texts and entities.
    pub predictions: Predictions,
    /// Where what annotators submit is stored (`POST /label-studio/webhook`).
    pub annotations: Option<PathBuf>,
    /// Where traces go.
    pub traces: Option<Traces>,
}

/// Somebody who may ask.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Who.
    pub name: String,
    /// SHA-256 of the key, in hexadecimal digits.
    pub sha256: String,
    /// Requests a second in the long run; no limit where there is none.
    #[serde(default)]
    pub requests_per_second: Option<f64>,
    /// Whether this key may load models.
    #[serde(default)]
    pub admin: bool,
}

/// How much may be asked.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a request's body, before and after it is unpacked.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read or answered.
    pub bodies_bytes: usize,
    /// Texts of a request.
    pub texts: usize,
    /// Bytes of a text.
    pub text_bytes: usize,
    /// Word pieces of a request.
    pub pieces: usize,
    /// Word pieces that wait or are computed, of all requests; a request of more is taken when nothing else waits.
    pub queue_pieces: usize,
    /// Word pieces that are computed together.
    pub batch_pieces: usize,
    /// Connections at once.
    pub connections: usize,
}

/// How long is waited, in seconds.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a request's header.
    pub header_s: f64,
    /// For a request's body.
    pub body_s: f64,
    /// For a client to take what it is sent.
    pub write_s: f64,
    /// For the next request on a connection.
    pub idle_s: f64,
    /// For an answer; a request that waits longer is refused.
    pub answer_s: f64,
    /// For requests that are under way when the server is stopped.
    pub drain_s: f64,
}

/// Certificate files.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Chain of certificates, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// What is written down of requests.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Whether every request is a line of JSON on standard error; texts are never in it.
    pub requests: bool,
}

/// The prediction log, which `nomen monitor` reads.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Predictions {
    /// Its folder; none is written where there is none.
    pub folder: Option<PathBuf>,
    /// Share of the texts that are written down.
    pub share: f64,
    /// Whether texts are kept, or only a hash of each.
    pub keep_texts: bool,
    /// Bytes of the folder at most; the oldest files go first.
    pub bytes: u64,
}

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// Base URL of an OTLP collector that takes JSON over HTTP, such as `http://localhost:4318`.
    pub endpoint: String,
    /// Share of the requests that are traced where the caller does not decide.
    #[serde(default = "all")]
    pub share: f64,
}

fn all() -> f64 {
    1.0
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            models: BTreeMap::new(),
            default: None,
            precision: None,
            threads: None,
            reload_every_s: 5.0,
            cache_texts: 0,
            insecure: false,
            hosts: Vec::new(),
            origins: Vec::new(),
            keys: Vec::new(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            tls: None,
            log: Log::default(),
            predictions: Predictions::default(),
            annotations: None,
            traces: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            bodies_bytes: 32 << 20,
            texts: 1_000,
            text_bytes: 1 << 20,
            pieces: 400_000,
            queue_pieces: 65_536,
            batch_pieces: 4_096,
            connections: 8_192,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { header_s: 8.0, body_s: 8.0, write_s: 8.0, idle_s: 60.0, answer_s: 30.0, drain_s: 25.0 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { requests: true }
    }
}

impl Default for Predictions {
    fn default() -> Self {
        Self { folder: None, share: 1.0, keep_texts: false, bytes: 256 << 20 }
    }
}

impl Config {
    /// The settings of a file, with those of the environment and then the overrides laid over them; an override is
    /// `key=value` with a dotted key.
    ///
    /// # Errors
    /// The file cannot be read, or something in it, in the environment or among the overrides is no setting or no value of it.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| ConfigError::Io { path: path.to_owned(), error })?;
                let place = path.display().to_string();
                let table: toml::Table = toml::from_str(&text)
                    .map_err(|error| ConfigError::Syntax { place: place.clone(), problem: error.to_string() })?;
                keys::check(&table, &place)?;
                // Folders of a file are relative to it.
                anchored(table, path.parent().unwrap_or(Path::new("")))
            }
            None => toml::Table::new(),
        };
        let mut variables: Vec<(String, String)> =
            environment.into_iter().filter(|(name, _)| name.starts_with(ENVIRONMENT)).collect();
        variables.sort();
        for (name, value) in variables {
            let key = name[ENVIRONMENT.len()..].to_lowercase().replace("__", ".");
            keys::set(&mut table, &key, &value, &name)?;
        }
        for given in overrides {
            let place = format!("--set {given}");
            let (key, value) = given.split_once('=').ok_or_else(|| ConfigError::Syntax {
                place: place.clone(),
                problem: "expected KEY=VALUE".to_owned(),
            })?;
            keys::set(&mut table, key.trim(), value.trim(), &place)?;
        }
        let place = file.map_or_else(|| "settings".to_owned(), |path| path.display().to_string());
        let config: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Syntax { place, problem: error.to_string() })?;
        Ok(config)
    }

    /// Looks whether a server of these settings may start.
    ///
    /// # Errors
    /// Settings do not go together, or would serve everybody on a public address.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fail = |problem: String| Err(ConfigError::Together(problem));
        if let Some(name) = self.default.as_ref().filter(|name| !self.models.contains_key(*name)) {
            let known: Vec<&str> = self.models.keys().map(String::as_str).collect();
            return fail(format!("`default` is `{name}`, which is no model; there are {}", known.join(", ")));
        }
        if self.default.is_none() && self.models.len() > 1 {
            return fail(
                "several models are named; say with `default` which one answers where none is named".to_owned(),
            );
        }
        if let Some(name) = self.models.keys().find(|name| !is_name(name)) {
            return fail(format!(
                "`{name}` cannot be a model's name: letters, digits, `-`, `_` and `.` can, up to 64 of them"
            ));
        }
        if !self.addr.ip().is_loopback() && self.keys.is_empty() && !self.insecure {
            return fail(format!(
                "{} can be reached from other machines and nobody needs a key; make one with `nomen serve --new-key NAME`, \
                 listen on 127.0.0.1, or say --insecure",
                self.addr
            ));
        }
        for key in &self.keys {
            if key.sha256.len() != 64 || !key.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return fail(format!("the key `{}`: `sha256` must be 64 hexadecimal digits", key.name));
            }
            if key.requests_per_second.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
                return fail(format!("the key `{}`: `requests_per_second` must be above 0", key.name));
            }
        }
        self.limits.check()?;
        self.timeouts.check()?;
        if !(self.predictions.share > 0.0 && self.predictions.share <= 1.0) {
            return fail(format!(
                "`predictions.share` is {}; it must be above 0 and at most 1",
                self.predictions.share
            ));
        }
        Ok(())
    }

    /// The model of requests that name none.
    pub fn default_model(&self) -> Option<&str> {
        self.default.as_deref().or_else(|| self.models.keys().next().map(String::as_str))
    }

    /// Names by which the server may be called; `None` for all.
    pub fn allowed_hosts(&self) -> Option<Vec<String>> {
        if self.hosts.is_empty() { transport::Names::of_address(self.addr.ip()) } else { Some(self.hosts.clone()) }
    }
}

/// Whether a model may be called so: names are parts of paths and labels of metrics.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

/// The table with the paths in it relative to a folder.
fn anchored(mut table: toml::Table, folder: &Path) -> toml::Table {
    let anchor = |value: &mut toml::Value| {
        if let toml::Value::String(path) = value
            && !path.contains("://")
        {
            *path = folder.join(&*path).display().to_string();
        }
    };
    if let Some(toml::Value::Table(models)) = table.get_mut("models") {
        models.iter_mut().for_each(|(_, path)| anchor(path));
    }
    for key in ["annotations", "tls.certificate", "tls.key", "predictions.folder"] {
        let mut at = Some(&mut table);
        let (sections, last) = key.rsplit_once('.').unwrap_or(("", key));
        if !sections.is_empty() {
            at = at.and_then(|table| table.get_mut(sections)).and_then(toml::Value::as_table_mut);
        }
        if let Some(value) = at.and_then(|table| table.get_mut(last)) {
            anchor(value);
        }
    }
    table
}

impl Limits {
    fn check(&self) -> Result<(), ConfigError> {
        let all = [
            ("body_bytes", self.body_bytes),
            ("bodies_bytes", self.bodies_bytes),
            ("texts", self.texts),
            ("text_bytes", self.text_bytes),
            ("pieces", self.pieces),
            ("queue_pieces", self.queue_pieces),
            ("batch_pieces", self.batch_pieces),
            ("connections", self.connections),
        ];
        if let Some((name, _)) = all.iter().find(|(_, limit)| *limit == 0) {
            return Err(ConfigError::Together(format!("`limits.{name}` is 0; nothing could be asked")));
        }
        if self.bodies_bytes < self.body_bytes {
            return Err(ConfigError::Together(format!(
                "`limits.bodies_bytes` is {}, and one body may have `limits.body_bytes` = {}: raise the first or lower the second",
                self.bodies_bytes, self.body_bytes
            )));
        }
        if self.queue_pieces > 100_000_000 {
            return Err(ConfigError::Together("`limits.queue_pieces` must be 100000000 or less".to_owned()));
        }
        Ok(())
    }
}

impl Timeouts {
    fn check(&self) -> Result<(), ConfigError> {
        let all = [
            ("header_s", self.header_s),
            ("body_s", self.body_s),
            ("write_s", self.write_s),
            ("idle_s", self.idle_s),
            ("answer_s", self.answer_s),
            ("drain_s", self.drain_s),
        ];
        match all.iter().find(|(_, seconds)| !(*seconds > 0.0 && *seconds <= 86_400.0)) {
            Some((name, seconds)) => Err(ConfigError::Together(format!(
                "`timeouts.{name}` is {seconds}; it must lie between 0 and 86400 seconds"
            ))),
            None => Ok(()),
        }
    }

    /// A timeout as a duration.
    pub fn of(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))
    }
}
