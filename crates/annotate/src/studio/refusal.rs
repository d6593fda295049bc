//! Why a request gets no answer: one match from reason to status.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use store::StoreError;
use thiserror::Error;

/// Why a request gets no answer. What is said of it goes to the client.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// The body is no JSON, or not readable at all.
    #[error("{0}")]
    Malformed(String),
    /// The request is readable and asks for what cannot be.
    #[error("{0}")]
    Invalid(String),
    /// Too many bytes.
    #[error("{0}")]
    TooLarge(String),
    /// The body came too slowly.
    #[error("the body did not come in time")]
    Slow,
    /// Nobody has logged in, or the token is unknown.
    #[error("log in, or send a token: Authorization: Bearer TOKEN")]
    Unauthorized,
    /// The host, the origin, the form or the role may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The route takes another method.
    #[error("this route takes another method; GET /api/v1/openapi.json lists them all")]
    Method,
    /// Somebody else was quicker. Both versions are told, and kept.
    #[error("somebody else saved this in the meantime; compare both versions and save again")]
    Conflict {
        /// What came too late.
        mine: Box<Value>,
        /// The newest version.
        theirs: Box<Value>,
    },
    /// What was to be changed has been changed since it was read, or a name is in use.
    #[error("{0}")]
    Stale(String),
    /// Too many tries.
    #[error("too many tries; try again in {0} s")]
    TooOften(u64),
    /// The database has no room or no time.
    #[error("{0}")]
    Unavailable(String),
    /// Something failed that is nobody's request's fault; whoever runs the studio is told why.
    #[error("the studio failed on this; whoever runs it can read why")]
    Failed(String),
}

impl Refusal {
    /// The status of HTTP, and a word for programs.
    pub fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict { .. } => (StatusCode::CONFLICT, "conflict"),
            Self::Stale(_) => (StatusCode::CONFLICT, "stale"),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let said = error.to_string();
        match error {
            StoreError::NotFound(_) => Self::NotFound(said),
            StoreError::Taken(_) | StoreError::Stale { .. } | StoreError::Conflict { .. } => Self::Stale(said),
            StoreError::Invalid(_) | StoreError::UnknownLabel(_) => Self::Invalid(said),
            StoreError::Full(_) | StoreError::Busy(_) => Self::Unavailable(said),
            _ => Self::Failed(said),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, kind) = self.status();
        let mut body = json!({"error": self.to_string(), "error_type": kind});
        if let Self::Conflict { mine, theirs } = &self {
            body["mine"] = Value::clone(mine);
            body["theirs"] = Value::clone(theirs);
        }
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
        let headers = response.headers_mut();
        if let Self::TooOften(seconds) = &self {
            headers.insert(header::RETRY_AFTER, (*seconds).into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // A page says it in its own way.
        response.extensions_mut().insert(self);
        response
    }
}
