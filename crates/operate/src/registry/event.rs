//! What happened to a version.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::VersionId;

/// Something that happened, as it stands in a file of `history/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place, from 1.
    pub number: u64,
    /// The sum of the event before; `None` for the first.
    pub previous: Option<String>,
    /// When it happened: seconds since 1970, UTC.
    pub at: u64,
    /// The version that it is about.
    pub version: VersionId,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The version came in, as a candidate.
    Added {
        /// The version that it was made from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<VersionId>,
        /// Where it came from, in words.
        source: String,
        /// What whoever added it says of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A gate judged it.
    Gated {
        /// SHA-256 of the report.
        report: String,
        /// Whether it passed.
        passed: bool,
        /// The version that it was judged against.
        against: VersionId,
    },
    /// It became live.
    Promoted {
        /// The version that was live before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<VersionId>,
        /// SHA-256 of the gate's report that allowed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gate: Option<String>,
        /// Why it was promoted without such a report.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<String>,
    },
    /// It became live again in the place of one that followed it.
    RolledBack {
        /// The version that was live before.
        from: VersionId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It was put aside.
    Archived {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// How an event contradicts those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventError {
    /// A version that came in before.
    #[error("the version {0} was added before")]
    AddedTwice(VersionId),
    /// A version that never came in.
    #[error("the version {0} was never added")]
    NeverAdded(VersionId),
    /// Another version was live.
    #[error("it speaks of {told} as the live version, which was {found}")]
    OtherLive {
        /// What the event says.
        told: String,
        /// What the events before say.
        found: String,
    },
    /// The way back leads to a version that was not live before this one.
    #[error("the version {0} was not live before the one that is rolled back")]
    NotBefore(VersionId),
    /// A version that serves was put aside.
    #[error("the version {0} was archived while it was live")]
    ArchivedLive(VersionId),
}
