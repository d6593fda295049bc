//! Why a configuration is refused.

use std::path::PathBuf;

use thiserror::Error;

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{path}: cannot be read: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A setting is wrong.
    #[error("{place}: {problem}")]
    Setting {
        /// File and line, or the override as it was given.
        place: String,
        /// What is wrong, and the way out.
        problem: Problem,
    },
    /// Settings that are fine alone do not go together, or not with the base.
    #[error("{0}")]
    Together(String),
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Not TOML, or no `key=value`.
    #[error("{0}")]
    Syntax(String),
    /// No setting has this name.
    #[error(
        "unknown key `{key}`{}; all keys are explained by the commented default.toml",
        nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default()
    )]
    UnknownKey {
        /// What was given.
        key: String,
        /// The setting whose name is most like it.
        nearest: Option<&'static str>,
    },
    /// Another tool's name.
    #[error("`{key}` is not a key here: {advice}")]
    OtherTool {
        /// What was given.
        key: String,
        /// What to use instead, or why there is no such setting.
        advice: &'static str,
    },
    /// The value is of the wrong kind or out of range.
    #[error("`{key}` is {found}; it must be {expected}")]
    Value {
        /// The setting.
        key: &'static str,
        /// What was given.
        found: String,
        /// The range of values.
        expected: String,
    },
}
