//! How a refusal is described to whoever reads the description of the routes.

use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// Why a request got no answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// In words.
    error: String,
    /// In a word, for programs.
    error_type: String,
}

/// Every way in which a request can be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses")]
pub enum Refusals {
    /// The body is no JSON, or ended too early
    #[response(status = 400)]
    Malformed(Problem),
    /// Nobody has logged in, or the token is unknown
    #[response(status = 401)]
    Unauthorized(Problem),
    /// The host, the origin, the form or the role may not do this
    #[response(status = 403)]
    Forbidden(Problem),
    /// There is no such thing, or it belongs to a project of others
    #[response(status = 404)]
    NotFound(Problem),
    /// It was changed by somebody else since it was read
    #[response(status = 409)]
    Stale(Problem),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(Problem),
    /// The request is readable and asks for what cannot be
    #[response(status = 422)]
    Invalid(Problem),
    /// The studio failed
    #[response(status = 500)]
    Failed(Problem),
    /// The database has no room or no time
    #[response(status = 503)]
    Unavailable(Problem),
}
