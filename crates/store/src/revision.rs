//! What somebody decided about a document, and when.

use schema::{Entity, Label, Origin};
use serde::{Deserialize, Serialize};

use crate::{Millis, Number, UserId, wire};

/// Who a history of a document belongs to. What counts is [`Layer::Review`] where it was decided, else [`Layer::First`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Annotated once.
    First,
    /// Annotated a second time by somebody else, who does not see the first.
    Second,
    /// Decided by somebody who sees both.
    Review,
}
wire::words!(Layer { First = "first", Second = "second", Review = "review" });

impl Layer {
    pub(crate) fn code(self) -> i64 {
        self as i64
    }

    pub(crate) fn of_code(code: i64) -> Result<Self, crate::StoreError> {
        usize::try_from(code)
            .ok()
            .and_then(|code| Self::ALL.get(code).copied())
            .ok_or_else(|| crate::StoreError::damaged("a layer", code.to_string()))
    }
}

/// How somebody left a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The entities are right and all there.
    Accepted,
    /// Not to be used.
    Skipped,
    /// Somebody else should look at it.
    Flagged,
}
wire::words!(Verdict { Accepted = "accepted", Skipped = "skipped", Flagged = "flagged" });

/// What a revision was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Provenance {
    /// A person, from the text.
    Hand,
    /// A person, who was shown these suggestions.
    Suggestions {
        /// Where the suggestions came from.
        from: Vec<Origin>,
        /// Those that were refused.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refused: Vec<Refused>,
    },
    /// It came with the document.
    Import,
    /// A change of many documents at once.
    Relabel {
        /// What was changed.
        what: String,
    },
    /// The repair of a finding.
    Fix {
        /// The rule that found it.
        rule: String,
    },
}

/// A suggestion that a person looked at and did not take. Those that they took say so as the source of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Where it began, in code points; none where its quote was nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    /// Where it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<usize>,
    /// What it was said to be.
    pub label: Label,
    /// What its source quoted.
    pub quote: String,
    /// Whose it was.
    pub origin: Origin,
}

/// A version of a document's entities in a layer. Never changed once it is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The document.
    pub document: Number,
    /// The layer.
    pub layer: Layer,
    /// From 1, without gaps.
    pub number: u32,
    /// The revision that its writer had seen; 0 where there was none.
    pub parent: u32,
    /// Who saved it; of what came with the document, who imported it.
    pub user: Option<UserId>,
    /// When.
    pub at: Millis,
    /// How the document was left.
    pub verdict: Verdict,
    /// The entities, sorted, without overlap.
    pub entities: Vec<Entity>,
    /// What its writer remarked.
    pub note: String,
    /// What it was made from.
    pub origin: Provenance,
    /// The name of this save, chosen by whoever saved; the same name is the same save.
    pub key: String,
}

/// A revision to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRevision {
    /// The revision that its writer had seen; 0 where there was none.
    pub parent: u32,
    /// How the document is left.
    pub verdict: Verdict,
    /// The entities, in any order, without overlap.
    pub entities: Vec<Entity>,
    /// A remark; may be empty.
    pub note: String,
    /// What it is made from.
    pub origin: Provenance,
    /// A name for this save that no other save of this document has (random digits will do), so that a repeated one is
    /// taken once. It does not begin with `nomen:`.
    pub key: String,
}

/// A version that came too late to be a revision, kept so that nothing is lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// The document.
    pub document: Number,
    /// The layer.
    pub layer: Layer,
    /// The revision that its writer had seen.
    pub parent: u32,
    /// The newest revision when it came.
    pub head: u32,
    /// Who.
    pub user: Option<UserId>,
    /// When.
    pub at: Millis,
    /// How its writer left the document.
    pub verdict: Verdict,
    /// The entities.
    pub entities: Vec<Entity>,
    /// What its writer remarked.
    pub note: String,
    /// What it was made from.
    pub origin: Provenance,
    /// The name of this save.
    pub key: String,
    /// Somebody looked at it and decided.
    pub settled: bool,
}
