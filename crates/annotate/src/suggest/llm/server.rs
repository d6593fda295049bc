//! A server that is asked, once.

use std::{fmt, io, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use ureq::{
    Agent,
    http::{HeaderMap, StatusCode, header},
};
use url::{Host, Url};

use super::{Key, retry_after::pause};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// No answer is longer.
const LONGEST_ANSWER: u64 = 16 << 20;
/// So much of what a server says about an error is repeated.
const LONGEST_MESSAGE: usize = 300;

/// A server that speaks OpenAI's chat completions.
pub struct Server {
    agent: Agent,
    base: Url,
    endpoint: String,
    key: Option<Key>,
}

/// Why an address is none of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ServerError {
    /// Not an address of HTTP.
    #[error("{0} is no address of a server; it begins with http:// or https://, such as http://127.0.0.1:8000/v1")]
    Address(String),
    /// The address holds a user's name or password, or a query, where a key may hide.
    #[error(
        "the address of the server holds more than host and path; a key stands in NOMEN_LLM_KEY or in the file of --key-file"
    )]
    Credentials,
    /// The system has no root certificates.
    #[error(transparent)]
    Certificates(#[from] secure::NoCertificates),
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was complete.
    Stop,
    /// It reached the most tokens that it may have.
    Length,
    /// Something else, such as `content_filter`.
    Other(String),
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the question.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What the model wrote.
    pub content: String,
    /// Why it ended.
    pub finish: Finish,
    /// What it cost, where the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server asks to come back later, perhaps it says when.
    Busy(Option<Duration>, String),
    /// It may be answered if it is asked again. `true` where the model may have worked for it.
    Away(String, bool),
    /// This request is not served, others may be.
    Refused(String),
    /// How the form of the answer was asked for is not known to the server.
    Form(String),
    /// No request will be served.
    Never(String),
}

impl Server {
    /// The server at an address, to which `/chat/completions` is added; an answer may take `patience`.
    ///
    /// No redirect is followed: the key is for this server alone.
    ///
    /// # Errors
    /// The address is none, holds credentials, or is one of HTTPS where the system has no root certificates.
    pub fn new(base: &Url, key: Option<Key>, patience: Duration) -> Result<Self, ServerError> {
        if !base.username().is_empty()
            || base.password().is_some()
            || base.query().is_some()
            || base.fragment().is_some()
        {
            return Err(ServerError::Credentials);
        }
        let mut config = Agent::config_builder()
            .user_agent(concat!("nomen/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_per_call(Some(patience));
        match base.scheme() {
            "http" => {}
            "https" => config = config.tls_config(secure::tls()?),
            _ => return Err(ServerError::Address(base.to_string())),
        }
        if is_loopback(base) {
            // No proxy reaches this machine's own loopback.
            config = config.proxy(None);
        }
        let endpoint = format!("{}/chat/completions", base.as_str().trim_end_matches('/'));
        Ok(Self { agent: config.build().into(), base: base.clone(), endpoint, key })
    }

    /// Its address.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A text without the server's key.
    pub(super) fn without_key(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.removed_from(text))
    }

    /// Asks once.
    pub(super) fn ask(&self, body: &Value) -> Result<Reply, Failure> {
        let mut request = self.agent.post(&self.endpoint).header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, key.header());
        }
        let response = request.send(body.to_string()).map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_) => {
                Failure::Never(self.said(&error.to_string()))
            }
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                Failure::Away(self.said(&error.to_string()), false)
            }
            ureq::Error::Io(io) if io.kind() == io::ErrorKind::ConnectionRefused => {
                Failure::Away(self.said(&io.to_string()), false)
            }
            error => Failure::Away(self.said(&error.to_string()), true),
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.into_body().into_with_config().limit(LONGEST_ANSWER).read_to_string();
        let text = text.map_err(|error| {
            Failure::Away(format!("its answer breaks off: {}", self.said(&error.to_string())), true)
        })?;
        if status == StatusCode::OK {
            let reply = serde_json::from_str::<Value>(&text).ok().and_then(|body| reply(&body));
            let reply = reply.ok_or_else(|| Failure::Away("its answer is no chat completion".into(), true))?;
            return Ok(Reply { content: self.without_key(&reply.content), ..reply });
        }
        Err(self.failure(status, &headers, &text))
    }

    fn failure(&self, status: StatusCode, headers: &HeaderMap, text: &str) -> Failure {
        let json = serde_json::from_str::<Value>(text).unwrap_or_default();
        let error = &json["error"];
        let message = error["message"].as_str().or(error.as_str()).or(json["message"].as_str()).unwrap_or(text);
        let said = self.said(message);
        let about = if said.is_empty() { String::new() } else { format!(": {said}") };
        let told = format!("it answers {status}{about}");
        let pause = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(pause);
        // A server that is out of credit says so with the status of one that is busy.
        let is_spent = error["code"].as_str() == Some("insufficient_quota");
        match status {
            StatusCode::TOO_MANY_REQUESTS if is_spent => Failure::Never(told),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Failure::Busy(pause, told),
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY => Failure::Away(told, false),
            status if status.is_server_error() => Failure::Away(told, false),
            StatusCode::UNAUTHORIZED => Failure::Never(format!(
                "{told}; a key stands in NOMEN_LLM_KEY or OPENAI_API_KEY, or in the file of --key-file"
            )),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if is_about_form(message) => Failure::Form(told),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Failure::Refused(told)
            }
            status if status.is_redirection() => {
                let to = headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                Failure::Never(format!("it redirects to {}; name that address", self.said(to)))
            }
            _ => Failure::Never(told),
        }
    }

    /// What a server says, without the key and made fit for a line of a terminal.
    fn said(&self, message: &str) -> String {
        let line: String = self.without_key(message).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match line.char_indices().nth(LONGEST_MESSAGE) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line.trim().to_owned(),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

fn is_about_form(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["response_format", "json_schema", "json schema", "structured output", "json_object"]
        .iter()
        .any(|word| message.contains(word))
}

/// Whether an address is one of this machine itself.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The answer that a body of a chat completion holds.
pub(super) fn reply(body: &Value) -> Option<Reply> {
    let choice = body.get("choices")?.get(0)?;
    let message = choice.get("message")?;
    let finish = match choice["finish_reason"].as_str() {
        Some("length") => Finish::Length,
        _ if message["refusal"].is_string() => Finish::Other("refusal".into()),
        Some("stop") | None => Finish::Stop,
        Some(other) => Finish::Other(other.to_owned()),
    };
    // A model that refuses, or spends all its tokens on thoughts, writes nothing.
    let content = message["content"].as_str().unwrap_or_default().to_owned();
    let usage = body.get("usage").and_then(|usage| {
        let count = |field: &str| usage.get(field)?.as_u64();
        Some(Usage { prompt_tokens: count("prompt_tokens")?, completion_tokens: count("completion_tokens")? })
    });
    Some(Reply { content, finish, usage })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_credentials_is_refused() {
        for address in ["http://me:secret@host/v1", "http://host/v1?key=secret", "http://me@host"] {
            let error = Server::new(&Url::parse(address).unwrap(), None, CONNECT).unwrap_err();
            assert!(!error.to_string().contains("secret") && error == ServerError::Credentials, "{error}");
        }
        assert!(Server::new(&Url::parse("file:///x").unwrap(), None, CONNECT).is_err());
    }
}
