//! Who is told of what happens: the server itself writes nothing.

use std::time::{Duration, SystemTime};

use schema::Entity;

use crate::Loaded;

/// Is told of what happens. Every method is called where requests are answered and so must not wait.
pub trait Observe: Send + Sync {
    /// A request was answered or refused.
    fn request(&self, request: &RequestRecord) {
        let _ = request;
    }

    /// The entities of a text were found.
    fn tagged(&self, tagged: &Tagged<'_>) {
        let _ = tagged;
    }

    /// A model was loaded, or could not be.
    fn loaded(&self, outcome: &Result<Loaded, String>) {
        let _ = outcome;
    }

    /// The model failed on a batch.
    fn failed(&self, problem: &str) {
        let _ = problem;
    }
}

/// An observer that does not look.
pub struct Unobserved;

impl Observe for Unobserved {}

/// What is known of a request. No text is in it.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Its id: the caller's `X-Request-Id`, or one of the server's.
    pub id: String,
    /// The caller's `traceparent` (W3C Trace Context), if it sent one.
    pub trace_parent: Option<String>,
    /// When it came.
    pub began: SystemTime,
    /// The route that answered it, `other` for none.
    pub route: &'static str,
    /// Its method.
    pub method: String,
    /// The status of the answer.
    pub status: u16,
    /// The name of the caller's key.
    pub key: Option<String>,
    /// From its header to the answer's.
    pub took: Duration,
    /// What was computed for it.
    pub work: Work,
}

/// What was computed for a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// The model that answered.
    pub model: Option<String>,
    /// Texts.
    pub texts: usize,
    /// Word pieces.
    pub pieces: usize,
    /// Entities that were found.
    pub entities: usize,
    /// The time of cutting texts into pieces.
    pub tokenized: Duration,
    /// The longest time that a text waited.
    pub queued: Duration,
    /// The longest time of a batch.
    pub computed: Duration,
}

/// A text and what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct Tagged<'t> {
    /// The text.
    pub text: &'t str,
    /// Its entities.
    pub entities: &'t [Entity],
    /// The model that found them.
    pub model: &'t str,
    /// The hash of its weights.
    pub version: &'t str,
    /// Word pieces of the text.
    pub pieces: usize,
}
