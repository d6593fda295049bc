//! Why a server of some settings does not start.

use std::path::PathBuf;

use thiserror::Error;

/// Why a server of some settings does not start.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Not TOML, or a value of the wrong kind.
    #[error("{place}: {problem}")]
    Syntax {
        /// The file, the variable or the option.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// No setting has this name.
    #[error(
        "{place}: unknown key `{key}`{}; `nomen serve --print-config` shows all keys",
        nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default()
    )]
    UnknownKey {
        /// The file, the variable or the option.
        place: String,
        /// What was given.
        key: String,
        /// The setting whose name is most like it.
        nearest: Option<&'static str>,
    },
    /// Settings that are fine alone do not go together.
    #[error("{0}")]
    Together(String),
}
