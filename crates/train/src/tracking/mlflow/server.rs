//! Requests to an MLflow server and what its answers mean.

use std::{fs::File, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use ureq::{
    Agent, AsSendBody, Body,
    http::{Response, StatusCode, header},
};
use url::{Host, Url};

use crate::tracking::{Environment, TrackError};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest wait for the answer to a file, which the server may hand on to a slower place first.
const STORED: Duration = Duration::from_secs(300);
/// Longest time in which no byte moves.
const STALL: Duration = Duration::from_secs(10);
/// No answer that is needed is longer.
const LONGEST_ANSWER: u64 = 1 << 20;
/// So much of what a server says about an error is repeated.
const LONGEST_MESSAGE: usize = 300;

/// An MLflow server.
#[derive(Debug)]
pub struct Server {
    agent: Agent,
    url: Url,
    authorization: Option<Authorization>,
}

/// The value of the header, which nothing shows.
struct Authorization(String);

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization")
    }
}

/// An answer that is none.
#[derive(Debug)]
pub enum Failure {
    /// The same request may succeed later.
    Away(String),
    /// The server refuses the request; `code` is MLflow's, such as `RESOURCE_DOES_NOT_EXIST`.
    Refused {
        /// MLflow's error code, empty where the answer has none.
        code: String,
        /// What can be told.
        message: String,
    },
}

impl From<Failure> for TrackError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(message) => Self::Away(message),
            Failure::Refused { message, .. } => Self::Refused(message),
        }
    }
}

impl Server {
    /// The server at an address; credentials are the environment's.
    ///
    /// # Errors
    /// It is to be asked over HTTPS, and this system has no root certificates.
    pub fn new(url: &Url, environment: &Environment) -> Result<Self, TrackError> {
        let mut config = Agent::config_builder()
            .user_agent(concat!("nomen/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_send_request(Some(ANSWER))
            .timeout_per_write(Some(STALL))
            .timeout_per_read(Some(STALL))
            .timeout_recv_body(Some(ANSWER));
        if url.scheme() == "https" {
            config = config.tls_config(secure::tls().map_err(|error| TrackError::Refused(error.to_string()))?);
        }
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if is_loopback {
            // No proxy reaches this machine's own loopback.
            config = config.proxy(None);
        }
        let authorization = match environment {
            Environment { token: Some(token), .. } => Some(format!("Bearer {token}")),
            Environment { username: Some(name), password, .. } => {
                let pair = format!("{name}:{}", password.as_deref().unwrap_or_default());
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            _ => None,
        };
        Ok(Self { agent: config.build().into(), url: url.clone(), authorization: authorization.map(Authorization) })
    }

    /// Its address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Asks by GET; `path` is below `/api/2.0/mlflow/`.
    pub fn get(&self, path: &str, query: (&str, &str)) -> Result<Value, Failure> {
        let mut url = self.address(std::iter::once("mlflow").chain(path.split('/')));
        url.query_pairs_mut().append_pair(query.0, query.1);
        let mut request = self.agent.get(url.as_str());
        if let Some(Authorization(value)) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.answer(&url, request.config().timeout_recv_response(Some(ANSWER)).build().call())
    }

    /// Sends by POST; `path` is below `/api/2.0/mlflow/`.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = self.address(std::iter::once("mlflow").chain(path.split('/')));
        let request = self.agent.post(url.as_str()).header(header::CONTENT_TYPE, "application/json");
        self.send(&url, request, ANSWER, body.to_string().as_bytes())
    }

    /// Stores a file as an artifact; `path` is that of MLflow's artifact proxy.
    pub fn put<'s>(&self, path: impl Iterator<Item = &'s str>, file: &File) -> Result<(), Failure> {
        let url = self.address(["mlflow-artifacts", "artifacts"].into_iter().chain(path));
        let request = self.agent.put(url.as_str()).header(header::CONTENT_TYPE, "application/octet-stream");
        self.send(&url, request, STORED, file).map(drop)
    }

    fn send(
        &self,
        url: &Url,
        mut request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        patience: Duration,
        body: impl AsSendBody,
    ) -> Result<Value, Failure> {
        if let Some(Authorization(value)) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        self.answer(url, request.config().timeout_recv_response(Some(patience)).build().send(body))
    }

    /// An address below `/api/2.0/`, each part escaped.
    fn address<'s>(&self, parts: impl Iterator<Item = &'s str>) -> Url {
        let mut url = self.url.clone();
        // Addresses of HTTP always have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "2.0"]).extend(parts);
        }
        url
    }

    fn answer(&self, url: &Url, answer: Result<Response<Body>, ureq::Error>) -> Result<Value, Failure> {
        let response = answer.map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => refused(format!("{}: {error}", self.url)),
            error => Failure::Away(error.to_string()),
        })?;
        let status = response.status();
        let location =
            response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.into_body().into_with_config().limit(LONGEST_ANSWER).read_to_vec();
        let body = body.map_err(|error| Failure::Away(format!("its answer breaks off: {error}")))?;
        // The artifact proxy says nothing where all is well.
        let json = match body.as_slice() {
            [] if status.is_success() => Some(Value::Object(serde_json::Map::new())),
            body => serde_json::from_slice::<Value>(body).ok().filter(Value::is_object),
        };
        if status.is_success() {
            return json
                .ok_or_else(|| Failure::Away("what answers there is no MLflow server: it sends no JSON".to_owned()));
        }
        let said = |key: &str| json.as_ref().and_then(|json| json[key].as_str()).unwrap_or_default();
        let (code, said) = (said("error_code").to_owned(), cut(said("message")));
        let about = if said.is_empty() { String::new() } else { format!(": {said}") };
        let is_passing = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        Err(match status {
            status if status.is_server_error() || is_passing => Failure::Away(format!("it answers {status}{about}")),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => refused(format!(
                "it answers {status}{about}; set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )),
            status if status.is_redirection() => {
                refused(format!("it redirects to {}; name that address", cut(&location.unwrap_or_default())))
            }
            status => Failure::Refused { code, message: format!("it answers {status} to {}{about}", url.path()) },
        })
    }
}

fn refused(message: String) -> Failure {
    Failure::Refused { code: String::new(), message }
}

/// What a server says, made fit for a line of a terminal.
fn cut(message: &str) -> String {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect();
    if message.chars().nth(LONGEST_MESSAGE).is_some() { line + "..." } else { line }
}
