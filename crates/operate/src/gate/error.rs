//! Why a gate cannot be held.

use std::path::PathBuf;

use thiserror::Error;

/// Why nothing can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GateError {
    /// There is nothing to judge on.
    #[error("there is no test set; name one at least")]
    NoSets,
    /// A policy could not tell the sets apart.
    #[error("two test sets are called {0:?}; give each a name of its own")]
    SameName(String),
    /// Nothing to find.
    #[error("test set {0:?} has no entities, so nothing can be lost or won in it; leave it out")]
    NoEntities(String),
    /// Documents and answers do not belong together.
    #[error("test set {name:?} has {expected} documents, but {found} answers of the {side} model")]
    Lengths {
        /// The set.
        name: String,
        /// Whose answers they are.
        side: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The policy speaks of something that is not there.
    #[error("the policy names `{key}`, but {problem}{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownName {
        /// The table in the policy.
        key: String,
        /// What there is instead.
        problem: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
}

/// Why a policy is refused.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// The file could not be read.
    #[error("{path}: cannot be read: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}:{line}: {problem}")]
    Setting {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and the way out.
        problem: Problem,
    },
}

/// What is wrong in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// No key has this name here.
    #[error(
        "unknown key `{key}`{}; known are {known}",
        nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default()
    )]
    UnknownKey {
        /// What was given.
        key: String,
        /// The key whose name is most like it.
        nearest: Option<&'static str>,
        /// All keys of this table.
        known: String,
    },
    /// The value is of the wrong kind or out of range.
    #[error("`{key}` is {found}; it must be {expected}")]
    Value {
        /// The key.
        key: String,
        /// What was given.
        found: String,
        /// The values that it can have.
        expected: &'static str,
    },
}
