//! Who may ask: hosts, origins, keys and how often each key may.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use transport::{Foreign, Names};

use crate::{
    Refusal,
    config::{Config, Key},
};

/// What a route lets through without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Everybody: whether the server lives is no secret.
    Open,
    /// Whoever has a key, if there are any.
    Key,
    /// Whoever has a key that may load models, if there are any.
    Admin,
}

/// Who may ask.
pub(crate) struct Access {
    names: Names,
    keys: Vec<Key>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

/// Requests that a key may still make at once.
struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of its key.
    pub key: Option<String>,
    /// The origin of the page that asks, where the answer may go there.
    pub origin: Option<String>,
}

impl Access {
    pub fn new(config: &Config) -> Self {
        Self {
            names: Names::new(config.allowed_hosts(), config.origins.clone()),
            keys: config.keys.clone(),
            buckets: Mutex::default(),
        }
    }

    /// Who asks, if it may.
    pub fn caller(&self, headers: &HeaderMap, guard: Guard) -> Result<Caller, Refusal> {
        let origin = self.names.admit(headers).map_err(|foreign| {
            let settings = match foreign {
                Foreign::Host => "`hosts` of its settings lists its names",
                Foreign::Origin => "`origins` of the server's settings lists those that may",
            };
            Refusal::Forbidden(format!("{foreign}; {settings}"))
        })?;
        if guard == Guard::Open || self.keys.is_empty() {
            return Ok(Caller { key: None, origin });
        }
        let given = given(headers).ok_or(Refusal::Unauthorized)?;
        let hash = hash(&given);
        // Hashes of keys tell nothing about keys, so the time of comparing them does not either.
        let key = self.keys.iter().find(|key| key.sha256.eq_ignore_ascii_case(&hash)).ok_or(Refusal::Unauthorized)?;
        if guard == Guard::Admin && !key.admin {
            return Err(Refusal::Forbidden(format!(
                "the key `{}` may not load models (admin = true lets it)",
                key.name
            )));
        }
        if let Some(rate) = key.requests_per_second {
            self.count(&key.name, rate)?;
        }
        Ok(Caller { key: Some(key.name.clone()), origin })
    }

    /// Whether a page of this origin may ask.
    pub fn knows_origin(&self, origin: &str) -> bool {
        self.names.knows_origin(origin)
    }

    /// Takes one request from the key's bucket, which holds those of two seconds.
    fn count(&self, name: &str, rate: f64) -> Result<(), Refusal> {
        let most = (2.0 * rate).max(1.0);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket { tokens: most, filled: now });
        let since = now.saturating_duration_since(bucket.filled).as_secs_f64();
        (bucket.tokens, bucket.filled) = ((bucket.tokens + since * rate).min(most), now);
        if bucket.tokens < 1.0 {
            let after_s = ((1.0 - bucket.tokens) / rate).ceil().clamp(1.0, 3_600.0) as u64;
            return Err(Refusal::TooOften { rate, after_s });
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

/// The SHA-256 of a key in hexadecimal digits, as settings have it.
pub fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The key that a request brings, in one of the ways that clients know.
fn given(headers: &HeaderMap) -> Option<String> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok().map(str::to_owned);
    }
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        // Annotation tools know names and passwords only; the password is the key.
        let pair = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
        return pair.split_once(':').map(|(_, password)| password.to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn access(change: impl FnOnce(&mut Config)) -> Access {
        let mut config = Config::default();
        change(&mut config);
        Access::new(&config)
    }

    #[test]
    fn a_loopback_server_answers_to_its_own_names_only() {
        let access = access(|_| ());
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
            assert!(access.caller(&headers(&[("host", host)]), Guard::Key).is_ok(), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "evil.example:80", ""] {
            assert!(
                matches!(access.caller(&headers(&[("host", host)]), Guard::Open), Err(Refusal::Forbidden(_))),
                "{host}"
            );
        }
    }

    #[test]
    fn pages_of_other_origins_may_not_ask_unless_they_are_listed() {
        let access = access(|config| config.origins = vec!["https://labels.example".to_owned()]);
        let ask = |origin| access.caller(&headers(&[("host", "localhost:8080"), ("origin", origin)]), Guard::Key);
        assert_eq!(ask("https://labels.example").unwrap().origin.as_deref(), Some("https://labels.example"));
        assert_eq!(ask("http://localhost:8080").unwrap().origin, None);
        assert!(ask("http://localhost:9090").is_err());
        assert!(ask("null").is_err());
    }

    #[test]
    fn keys_come_in_three_ways_and_only_as_often_as_they_may() {
        let key = |name: &str, key: &str, rate, admin| Key {
            name: name.to_owned(),
            sha256: hash(key),
            requests_per_second: rate,
            admin,
        };
        let access =
            access(|config| config.keys = vec![key("team", "abc", Some(1.0), false), key("ops", "xyz", None, true)]);
        let ask = |name, value: &str, guard| access.caller(&headers(&[("host", "localhost"), (name, value)]), guard);
        assert_eq!(ask("x-api-key", "xyz", Guard::Admin).unwrap().key.as_deref(), Some("ops"));
        let basic = format!("Basic {}", BASE64_STANDARD.encode("anybody:xyz"));
        assert_eq!(ask("authorization", &basic, Guard::Key).unwrap().key.as_deref(), Some("ops"));
        assert_eq!(ask("authorization", "Bearer wrong", Guard::Key), Err(Refusal::Unauthorized));
        assert_eq!(ask("accept", "*/*", Guard::Key), Err(Refusal::Unauthorized));
        assert!(ask("accept", "*/*", Guard::Open).is_ok());
        assert!(matches!(ask("x-api-key", "abc", Guard::Admin), Err(Refusal::Forbidden(_))));
        assert!(ask("authorization", "Bearer abc", Guard::Key).is_ok());
        assert!(ask("authorization", "bearer abc", Guard::Key).is_ok());
        assert!(matches!(ask("x-api-key", "abc", Guard::Key), Err(Refusal::TooOften { after_s: 1, .. })));
    }
}
