//! Why a collection cannot go on. What is wrong with one source is no error but its outcome.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a collection cannot begin or go on.
#[derive(Debug, Error)]
pub enum CollectError {
    /// The output is there already.
    #[error("{}: exists already; name another file for the output, or remove this one", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// Another process writes this output.
    #[error("{}: another process is collecting into it; wait for that, or name another file", path.display())]
    InUse {
        /// The output.
        path: PathBuf,
    },
    /// An unfinished collection of other sources, or with other options, has this output.
    #[error(
        "{}: an unfinished run of `nomen collect` with other {what} has this output; give the same {what} to go on \
         with it, or remove {} and {} to begin anew", path.display(), part.display(), journal.display()
    )]
    Other {
        /// The output.
        path: PathBuf,
        /// What is different.
        what: &'static str,
        /// Its unfinished rows.
        part: PathBuf,
        /// Its journal.
        journal: PathBuf,
    },
    /// The journal cannot be understood.
    #[error("{}:{line}: is damaged ({problem}); remove it and {} to begin anew", path.display(), part.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
        /// The unfinished rows.
        part: PathBuf,
    },
    /// A source is neither a file nor a folder nor an address.
    #[error("{name}: {problem}")]
    Source {
        /// The source.
        name: String,
        /// What is wrong with it, and the way out.
        problem: String,
    },
    /// The operating system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
}

impl CollectError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}
