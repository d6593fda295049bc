//! Questions as lines for a batch interface, and its lines with the answers.
//!
//! A question: `{"custom_id","method":"POST","url":"/v1/chat/completions","body":{...}}`; an answer:
//! `{"custom_id","response":{"status_code":200,"body":{...}},"error":null}`. The `custom_id` is the hash of the question, so
//! answers find their way by themselves, in any order and from any number of files.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use thiserror::Error;

use super::{Cache, CacheError, Server, server::reply};

/// What was read from a file of answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Answers that are in the cache now.
    pub answers: usize,
    /// Questions that the batch did not answer.
    pub failed: usize,
}

/// Why a file of answers could not be read.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A line is no answer of a batch.
    #[error("{}:{line}: {problem}; expected a line of a batch's output file", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// An answer cannot be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Writes questions, as [`super::Desk::collected`] has them.
///
/// # Errors
/// The output fails.
pub fn write(out: &mut impl Write, questions: &[(String, Value)]) -> io::Result<()> {
    for (hash, body) in questions {
        let line = json!({"custom_id": hash, "method": "POST", "url": "/v1/chat/completions", "body": body});
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Takes the answers of a file into the cache. The key of the server is not kept, should an answer hold it.
///
/// # Errors
/// The file cannot be read or has a line that is none of a batch; the answers before that line are kept.
pub fn read(path: &Path, cache: &Cache, server: &Server) -> Result<Taken, BatchError> {
    let io = |error| BatchError::Io { path: path.to_owned(), error };
    let file = BufReader::new(File::open(path).map_err(io)?);
    let mut taken = Taken::default();
    for (at, line) in file.lines().enumerate() {
        let line = line.map_err(io)?;
        if line.trim().is_empty() {
            continue;
        }
        let fault = |problem: String| BatchError::Line { path: path.to_owned(), line: at + 1, problem };
        let line: Value = serde_json::from_str(&line).map_err(|error| fault(error.to_string()))?;
        let hash = line["custom_id"].as_str().unwrap_or_default();
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(fault("its `custom_id` is none that `--batch-out` wrote".into()));
        }
        let response = &line["response"];
        let answered = (response["status_code"] == 200).then(|| reply(&response["body"])).flatten();
        match answered {
            Some(mut reply) => {
                reply.content = server.without_key(&reply.content);
                cache.keep(hash.to_owned(), reply)?;
                taken.answers += 1;
            }
            None if response.is_object() || line["error"].is_object() => taken.failed += 1,
            None => return Err(fault("it has no `response`".into())),
        }
    }
    Ok(taken)
}
