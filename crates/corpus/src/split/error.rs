//! Why documents cannot be split as planned.

use std::path::PathBuf;

use thiserror::Error;

use super::PartName;

/// Why documents cannot be split as planned; nothing was split then.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SplitError {
    /// The sizes are for another number of parts.
    #[error("{found} sizes for {expected} parts ({}); give one size for each part", names.join(", "))]
    Sizes {
        /// Sizes that were given.
        found: usize,
        /// Parts that there are.
        expected: usize,
        /// Their names.
        names: Vec<String>,
    },
    /// Shares that are no shares.
    #[error("the shares {shares:?} cannot be kept; give numbers of 0 and more, such as 80,10,10, not all 0")]
    Shares {
        /// What was given.
        shares: Vec<f64>,
    },
    /// The counts do not come to the number of documents.
    #[error(
        "the counts come to {counted}, but there are {documents} texts to split; correct them, or write `rest` for one of them"
    )]
    Counts {
        /// Their sum.
        counted: usize,
        /// Documents that there are.
        documents: usize,
    },
    /// More than one count was left to fill up.
    #[error("`rest` stands for {rests} counts; only one can take what the others leave")]
    Rests {
        /// How often.
        rests: usize,
    },
    /// One fold, or none.
    #[error("{folds} folds; two are the fewest")]
    Folds {
        /// What was asked for.
        folds: usize,
    },
    /// Folds have no order in time.
    #[error(
        "folds cannot go by date: each would be tested on texts older than those it learns from; give shares or counts"
    )]
    FoldsByDate,
    /// Folds have no place for a test set of its own.
    #[error("folds and a protected test set exclude each other; give shares or counts for train and dev")]
    FoldsProtected,
    /// A part that should have texts would have none.
    #[error(
        "`{part}` would be empty: {documents} texts in {groups} groups that stay together are too few for these sizes; \
         give it a larger share, add texts, or group less (`--group-by text` keeps only equal texts together)"
    )]
    EmptyPart {
        /// The part.
        part: PartName,
        /// Documents to split.
        documents: usize,
        /// Groups that they are in.
        groups: usize,
    },
    /// No document says what it is grouped by.
    #[error("no text has the metadata `{key}` to group by; {}", known(keys))]
    NoKey {
        /// The metadata field.
        key: String,
        /// The fields that there are.
        keys: Vec<String>,
    },
    /// A document without a date.
    #[error(
        "{}: text {number} has {problem} under `meta.{key}` ({texts} such texts in all); a split by date needs the date of \
         every text, as 2024-05-31 or 2024-05-31T12:00:00Z (ISO 8601)",
        path.display()
    )]
    Date {
        /// The file.
        path: PathBuf,
        /// Position of the first such document in it, from 1.
        number: usize,
        /// The metadata field.
        key: String,
        /// What stands there instead.
        problem: String,
        /// How many there are.
        texts: usize,
    },
}

fn known(keys: &[String]) -> String {
    if keys.is_empty() {
        "the texts have no metadata at all".to_owned()
    } else {
        format!("there is {}", keys.join(", "))
    }
}
