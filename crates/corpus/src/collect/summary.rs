//! What a collection did.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// What became of one source, or of something that was found in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is a record now.
    Kept {
        /// SHA-256 sum of its text, 64 hexadecimal digits.
        sha256: String,
        /// Some of its bytes could not be decoded; U+FFFD stands in their place.
        malformed: bool,
    },
    /// It gave no record.
    Skipped(Skipped),
    /// It is a folder, a sitemap or a feed; so many new entries were found in it.
    Found(usize),
}

/// Why something gave no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The kind of reason.
    pub reason: Reason,
    /// What exactly, and the way out where there is one.
    pub detail: String,
}

impl Skipped {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// Kinds of reasons for which something gives no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The host's robots.txt forbids it, or cannot be read.
    Robots,
    /// Its address is not of the public internet.
    Private,
    /// It is on another host than the sitemap or feed that lists it.
    OtherHost,
    /// No pattern of `include` describes it.
    NotIncluded,
    /// Larger than any document or list that is read.
    TooLarge,
    /// Neither text nor Markdown nor HTML, neither sitemap nor feed.
    NotText,
    /// It holds nothing but white space.
    Empty,
    /// Its text is that of an earlier record.
    Duplicate,
    /// The server answered with another status than success.
    Status,
    /// The server cannot be reached, or is too slow.
    Unreachable,
    /// The operating system refused.
    Unreadable,
    /// A file whose name starts with a dot.
    Hidden,
    /// A symbolic link.
    Link,
}

impl Reason {
    /// A word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Robots => "robots",
            Self::Private => "private",
            Self::OtherHost => "other-host",
            Self::NotIncluded => "not-included",
            Self::TooLarge => "too-large",
            Self::NotText => "not-text",
            Self::Empty => "empty",
            Self::Duplicate => "duplicate",
            Self::Status => "status",
            Self::Unreachable => "unreachable",
            Self::Unreadable => "unreadable",
            Self::Hidden => "hidden",
            Self::Link => "link",
        }
    }

    /// A few words for a person.
    pub fn told(self) -> &'static str {
        match self {
            Self::Robots => "forbidden by robots.txt",
            Self::Private => "at private addresses",
            Self::OtherHost => "on other hosts",
            Self::NotIncluded => "not included",
            Self::TooLarge => "too large",
            Self::NotText => "not text",
            Self::Empty => "empty",
            Self::Duplicate => "duplicates",
            Self::Status => "answered with a failure",
            Self::Unreachable => "not reached",
            Self::Unreadable => "not readable",
            Self::Hidden => "hidden",
            Self::Link => "symbolic links",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.told())
    }
}

/// What was skipped for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Skips {
    /// How many.
    pub count: usize,
    /// The first of them with what exactly was the reason, at most [`Skips::KEPT`].
    pub first: Vec<Named>,
}

impl Skips {
    /// How many are named.
    pub const KEPT: usize = 10;
}

/// Something skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The file or address.
    pub source: String,
    /// Why.
    pub detail: String,
}

/// What a collection did, those of its parts that earlier processes did included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records in the output.
    pub records: usize,
    /// Records in whose place some bytes could not be decoded.
    pub malformed: usize,
    /// What gave no record.
    pub skipped: BTreeMap<Reason, Skips>,
    /// Found and not looked at, because the limit was reached.
    pub left: usize,
}

impl Summary {
    pub(super) fn count(&mut self, source: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Kept { malformed, .. } => {
                self.records += 1;
                self.malformed += usize::from(*malformed);
            }
            Outcome::Skipped(skipped) => {
                let skips = self.skipped.entry(skipped.reason).or_default();
                skips.count += 1;
                if skips.first.len() < Skips::KEPT {
                    skips.first.push(Named { source: source.to_owned(), detail: skipped.detail.clone() });
                }
            }
            Outcome::Found(_) => {}
        }
    }

    /// How many gave no record, for all reasons.
    pub fn skipped_count(&self) -> usize {
        self.skipped.values().map(|skips| skips.count).sum()
    }
}
