//! Why a request gets no answer: one match from reason to status.

use axum::http::StatusCode;
use thiserror::Error;

/// Why a request gets no answer. What is said of it goes to the client, so it never has a text in it.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// The body is no JSON, or not readable at all.
    #[error("{0}")]
    Malformed(String),
    /// The body is JSON and not what the route takes.
    #[error("{0}")]
    Invalid(String),
    /// Too many bytes, texts or pieces.
    #[error("{0}")]
    TooLarge(String),
    /// The key is missing or unknown.
    #[error("this server needs a key: Authorization: Bearer KEY, or X-API-Key: KEY")]
    Unauthorized,
    /// The host, the origin or the key may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such model or route.
    #[error("{0}")]
    NotFound(String),
    /// The route takes another method.
    #[error("this route takes {0}")]
    Method(String),
    /// The body came too slowly.
    #[error("the body did not come within {0} s")]
    Slow(f64),
    /// The body's encoding is none that the server knows.
    #[error("{0}")]
    Encoding(String),
    /// The server has more to do than it takes.
    #[error("the server is busy; try again in {after_s} s")]
    Busy {
        /// Seconds until it makes sense to come again.
        after_s: u64,
    },
    /// The key asks more often than it may.
    #[error("this key may ask {rate} times a second; try again in {after_s} s")]
    TooOften {
        /// Requests a second.
        rate: f64,
        /// Seconds until it makes sense to come again.
        after_s: u64,
    },
    /// The answer would have come too late.
    #[error("the answer was not there within {0} s")]
    Late(f64),
    /// No model is there yet, or the server is about to stop.
    #[error("{0}")]
    Unavailable(String),
    /// The model failed; what went wrong is in the server's log.
    #[error("the model failed on this request; the server's log says why")]
    Failed,
}

impl Refusal {
    /// The status of HTTP, and a word for programs.
    pub fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Slow(_) => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::Encoding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
            Self::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "overloaded"),
            Self::TooOften { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Late(_) => (StatusCode::SERVICE_UNAVAILABLE, "late"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }

    /// Seconds until it makes sense to come again, where time helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Busy { after_s } | Self::TooOften { after_s, .. } => Some(*after_s),
            Self::Late(_) | Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }
}
