//! What can go wrong.

use schema::Label;
use thiserror::Error;

use crate::{Lost, Revision};

/// Why the store did not do what was asked. Nothing has changed then, except that a [`StoreError::Conflict`] keeps the
/// version that came too late.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody saved another version in the meantime.
    #[error("this was changed by somebody else in the meantime (revision {} is newer than {}); both versions are kept, compare them and save again", .theirs.number, .mine.parent)]
    Conflict {
        /// What came too late. It is kept beside the history.
        mine: Box<Lost>,
        /// The newest version.
        theirs: Box<Revision>,
    },
    /// The schema or the guidelines have been changed since they were read.
    #[error(
        "schema and guidelines were changed by somebody else in the meantime: version {found} is newer than {seen}; look at it and change it again"
    )]
    Stale {
        /// The version that the change started from.
        seen: u32,
        /// The version that there is.
        found: u32,
    },
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The name is in use.
    #[error("there is already a {0}; choose another name")]
    Taken(String),
    /// What was given cannot be kept.
    #[error("{0}")]
    Invalid(String),
    /// A label that the project's schema does not have.
    #[error("the schema of this project has no label `{0}`; add it to the schema, or use one of its labels")]
    UnknownLabel(Label),
    /// The database holds something that no version of Nomen wrote.
    #[error("{place} holds what it should not: {problem}; restore the database from a copy")]
    Damaged {
        /// Table and row.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A newer Nomen made this database.
    #[error(
        "{database} was made by a newer Nomen: its layout is number {found}, this program knows up to {known}; use the newer program"
    )]
    Newer {
        /// Which database.
        database: String,
        /// The layout that it has.
        found: i64,
        /// The newest layout that this program knows.
        known: i64,
    },
    /// The `SQLite` inside this program can lose what it acknowledged.
    #[error("SQLite {0} can damage a database under several writers (fixed in 3.51.3); build Nomen with a newer one")]
    OldSqlite(String),
    /// The database cannot be opened.
    #[error(
        "{database} cannot be opened: {error}; check that the place exists, that you may write there, and that it is no other program's file"
    )]
    Open {
        /// Which database.
        database: String,
        /// What the driver says.
        error: sqlx::Error,
    },
    /// There is no room left.
    #[error("the disk of the database is full, nothing was changed; make room and try again ({0})")]
    Full(sqlx::Error),
    /// Somebody else keeps the database locked.
    #[error(
        "the database is locked by another program for too long, nothing was changed; try again, or end that program ({0})"
    )]
    Busy(sqlx::Error),
    /// The database failed.
    #[error("the database failed, nothing was changed: {0}; if it stays so, check disk and connection")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code =
            error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
        // SQLite's primary result codes stand in the low byte; PostgreSQL's are five characters.
        match code.as_str() {
            "53100" => Self::Full(error),
            "55P03" | "40001" | "40P01" => Self::Busy(error),
            code if code.len() < 5 => match code.parse::<u32>().map(|code| code & 0xff) {
                Ok(13) => Self::Full(error),
                Ok(5 | 6) => Self::Busy(error),
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    pub(crate) fn damaged(place: impl Into<String>, problem: impl Into<Box<dyn std::error::Error>>) -> Self {
        let problem: Box<dyn std::error::Error> = problem.into();
        Self::Damaged { place: place.into(), problem: problem.to_string() }
    }
}

/// Whether a row could not be added because one like it is there.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
