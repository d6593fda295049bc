//! A server that is asked in the place of a model.

use std::{thread, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use model::Input;
use schema::{Entity, Label, Span};
use serde::Deserialize;
use ureq::{
    Agent,
    http::{StatusCode, header},
};
use url::Url;

/// The variable with the key of a server that needs one. Keys are not for command lines, which others can read.
const KEY: &str = "NOMEN_SERVER_KEY";
/// How often a busy server is asked again.
const TRIES: u32 = 20;
/// Longest pause before it is.
const LONGEST_PAUSE: u64 = 60;
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(120);

/// A server.
pub struct Remote {
    agent: Agent,
    url: String,
    key: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<OfText>,
}

#[derive(Deserialize)]
struct OfText {
    entities: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    start: usize,
    end: usize,
    label: String,
    text: String,
    score: Option<f32>,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
}

impl Remote {
    /// The server at a URL.
    pub fn new(server: &Url) -> anyhow::Result<Self> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER));
        match server.scheme() {
            "http" => {}
            "https" => config = config.tls_config(secure::tls()?),
            _ => bail!("{server} is no address of a server; it begins with http:// or https://"),
        }
        // Bytes are what spans are here, and nothing has to be counted twice.
        let url = format!("{}/v1/tag?offsets=bytes", server.as_str().trim_end_matches('/'));
        Ok(Self { agent: config.build().into(), url, key: std::env::var(KEY).ok() })
    }

    /// The entities of texts, in order. A server that is busy is asked again when it says so.
    pub fn entities(&self, inputs: &[Input<'_>]) -> anyhow::Result<Vec<Vec<Entity>>> {
        let texts: Vec<&str> = inputs.iter().map(|input| input.text).collect();
        let body = serde_json::json!({"texts": texts}).to_string();
        let answer = self.asked(&body)?;
        let Answer { results } = serde_json::from_str(&answer)
            .with_context(|| format!("{}: the answer is none of nomen serve", self.url))?;
        if results.len() != inputs.len() {
            bail!("{}: {} results for {} texts", self.url, results.len(), inputs.len());
        }
        results.into_iter().zip(texts).map(|(result, text)| self.of_text(result, text)).collect()
    }

    fn of_text(&self, result: OfText, text: &str) -> anyhow::Result<Vec<Entity>> {
        let entity = |found: Found| {
            let Found { start, end, label, text: quote, score } = found;
            let span = Span::of(text, start..end)?;
            if span.quote(text) != quote {
                bail!("{}: the entity at {start} is not what the text has there", self.url);
            }
            Ok(Entity { score, ..Entity::new(span, Label::new(&label)?) })
        };
        result.entities.into_iter().map(entity).collect()
    }

    fn asked(&self, body: &str) -> anyhow::Result<String> {
        for _ in 0..TRIES {
            let mut request = self.agent.post(&self.url).header(header::CONTENT_TYPE, "application/json");
            if let Some(key) = &self.key {
                request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
            }
            let mut response = request.send(body).with_context(|| format!("{} does not answer", self.url))?;
            let status = response.status();
            let pause = response.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
            let text = response.body_mut().with_config().limit(1 << 30).read_to_string();
            let text = text.with_context(|| format!("{}: the answer broke off", self.url))?;
            match (status, pause) {
                (StatusCode::OK, _) => return Ok(text),
                (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(pause)) => {
                    thread::sleep(Duration::from_secs(u64::clamp(pause, 1, LONGEST_PAUSE)));
                }
                (StatusCode::UNAUTHORIZED, _) => {
                    return Err(anyhow!("{} wants a key; the variable {KEY} may have it", self.url));
                }
                _ => {
                    let said = serde_json::from_str(&text).map_or(text, |problem: Problem| problem.error);
                    let said: String = said.chars().take(500).collect();
                    return Err(anyhow!("{} answers {status}: {said}", self.url));
                }
            }
        }
        Err(anyhow!("{} is still busy after {TRIES} tries", self.url))
    }
}
