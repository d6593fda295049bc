//! What a reader found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schema::{
    Document, Label,
    offset::Unit,
    tags::{Scheme, Tag},
};

use crate::{Evidence, Format};

/// What a reader found in a file, complete once the reader is at its end.
#[derive(Debug, Clone)]
pub struct Report {
    /// How the file was read.
    pub format: Format,
    /// How the format was concluded.
    pub evidence: Evidence,
    /// The file starts with a byte order mark, which was skipped.
    pub byte_order_mark: bool,
    /// Where tokens and tags stand, for CoNLL.
    pub columns: Option<Columns>,
    /// The tag scheme, for CoNLL.
    pub scheme: Option<SchemeFound>,
    /// Documents read.
    pub documents: usize,
    /// Known tokens of these documents.
    pub tokens: usize,
    /// Entities a label.
    pub entities: BTreeMap<Label, usize>,
    /// Places that could not be read, each given as an error.
    pub errors: usize,
    /// Tags that the scheme would have written differently, and how they were understood.
    pub repairs: Listed<TagRepair>,
    /// Documents whose offsets were proven to count something else than code points, and were converted.
    pub units: Listed<UnitSwitch>,
    /// Fields that the format does not know, kept in the documents' metadata.
    pub moved_to_meta: BTreeSet<String>,
    /// Texts of which the file does not say that anyone annotated them.
    pub unannotated: usize,
    /// What the file has beside the documents that were taken from it.
    pub left_out: BTreeMap<LeftOut, usize>,
    /// What the file says and a document has no place for, with the number of documents that it says it of.
    pub not_kept: BTreeMap<&'static str, usize>,
    /// Lines of multi-word tokens and of empty nodes (`1-2`, `1.1`), passed over because their words have rows.
    pub skipped_rows: usize,
    /// The lines of the document read last, see [`crate::Reader::lines`].
    pub(crate) lines: Vec<usize>,
}

/// A count and the first of what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// How many there are.
    pub total: usize,
    /// The first of them, at most [`Listed::KEPT`].
    pub first: Vec<T>,
}

impl<T> Listed<T> {
    /// How many are kept; a file of broken tags must not fill the memory with complaints.
    pub const KEPT: usize = 10_000;

    pub(crate) fn push(&mut self, item: T) {
        self.total += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(item);
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { total: 0, first: Vec::new() }
    }
}

/// A tag that its scheme would have written differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRepair {
    /// The line it stands in.
    pub line: usize,
    /// The tag of the file.
    pub found: Tag,
    /// The tag that the scheme writes for what was understood.
    pub taken_as: Tag,
}

impl fmt::Display for TagRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} taken as {}", self.line, self.found, self.taken_as)
    }
}

/// Offsets that counted something else than the format says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitSwitch {
    /// The document's line.
    pub line: usize,
    /// What its offsets were proven to count.
    pub unit: Unit,
}

impl fmt::Display for UnitSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: offsets count {}, converted", self.line, self.unit)
    }
}

/// Something that an annotation tool's file holds beside what is gold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// An example that was answered `reject`.
    Rejected,
    /// An example that was answered `ignore`.
    Ignored,
    /// An annotation that was cancelled.
    Cancelled,
    /// An answer that was not submitted.
    Unsubmitted,
    /// An annotation beside the one that was taken.
    OtherAnnotation,
    /// A suggestion beside the one that was taken.
    OtherSuggestion,
    /// A suggestion of which the file holds the number alone.
    NumberedSuggestion,
    /// A result that is no span with a label, such as a choice or a relation.
    NotSpan,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rejected => "examples answered `reject`",
            Self::Ignored => "examples answered `ignore`",
            Self::Cancelled => "annotations that were cancelled",
            Self::Unsubmitted => "answers that were not submitted",
            Self::OtherAnnotation => "annotations beside the one taken of each text",
            Self::OtherSuggestion => "suggestions beside the one taken of each text",
            Self::NumberedSuggestion => {
                "suggestions that are numbers only (Label Studio writes them out in a snapshot with full predictions)"
            }
            Self::NotSpan => "results that are no spans with a label",
        })
    }
}

/// What stands between the columns of a CoNLL file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// Exactly one tab.
    Tab,
    /// Any run of spaces and tabs.
    Spaces,
}

/// Where tokens and tags stand in a CoNLL file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// What separates them.
    pub separator: Separator,
    /// How many there are.
    pub count: usize,
    /// The one that holds the token, from 0: the first, or the second where the first numbers the tokens.
    pub token: usize,
    /// The one that holds the tag, from 0: the last one that mostly holds tags (the first where tokens are numbered).
    pub tag: usize,
    /// The line of the first row.
    pub first_line: usize,
}

/// A tag scheme and how it was concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemeFound {
    /// The scheme.
    pub scheme: Scheme,
    /// How it was concluded.
    pub evidence: SchemeEvidence,
}

/// How a tag scheme was concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemeEvidence {
    /// The caller said so.
    Given,
    /// It needs the fewest repairs over the whole file.
    WholeFile {
        /// Tags looked at.
        tags: usize,
        /// Repairs that it needs.
        repairs: usize,
    },
    /// It needs the fewest repairs at the beginning of a stream.
    Beginning {
        /// Tags looked at.
        tags: usize,
        /// Repairs that it needs.
        repairs: usize,
    },
}

impl Report {
    pub(crate) fn new(format: Format, evidence: Evidence) -> Self {
        Self {
            format,
            evidence,
            byte_order_mark: false,
            columns: None,
            scheme: None,
            documents: 0,
            tokens: 0,
            entities: BTreeMap::new(),
            errors: 0,
            repairs: Listed::default(),
            units: Listed::default(),
            moved_to_meta: BTreeSet::new(),
            unannotated: 0,
            left_out: BTreeMap::new(),
            not_kept: BTreeMap::new(),
            skipped_rows: 0,
            lines: Vec::new(),
        }
    }

    /// Counts a document of which something has no place.
    pub(crate) fn leave(&mut self, what: &'static str) {
        *self.not_kept.entry(what).or_default() += 1;
    }

    /// Entities of all labels.
    pub fn entity_count(&self) -> usize {
        self.entities.values().sum()
    }

    pub(crate) fn leave_out(&mut self, what: LeftOut) {
        *self.left_out.entry(what).or_insert(0) += 1;
    }

    pub(crate) fn count(&mut self, document: &Document) {
        self.documents += 1;
        self.tokens += document.tokens().map_or(0, <[_]>::len);
        for entity in document.entities() {
            match self.entities.get_mut(&entity.label) {
                Some(count) => *count += 1,
                None => drop(self.entities.insert(entity.label.clone(), 1)),
            }
        }
    }
}

impl fmt::Display for SchemeFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tags, place) = match self.evidence {
            SchemeEvidence::Given => return write!(f, "{} (given)", self.scheme),
            SchemeEvidence::WholeFile { tags, repairs } => ((tags, repairs), "in the whole file"),
            SchemeEvidence::Beginning { tags, repairs } => ((tags, repairs), "at the beginning of the stream"),
        };
        let (tags, repairs) = tags;
        write!(f, "{} (fewest repairs: {repairs} of {tags} tags {place})", self.scheme)
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.separator {
            Separator::Tab => "tab",
            Separator::Spaces => "space",
        };
        write!(f, "{} {separator}-separated columns, token in {}, tag in {}", self.count, self.token + 1, self.tag + 1)
    }
}

/// A few lines for a person: what was found first, then what was changed on the way in.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "format {} ({})", self.format, self.evidence)?;
        if let Some(columns) = &self.columns {
            write!(f, "; {columns}")?;
        }
        if let Some(scheme) = &self.scheme {
            write!(f, "; scheme {scheme}")?;
        }
        write!(f, "\n{} documents, {} entities", self.documents, self.entity_count())?;
        for (index, (label, count)) in self.entities.iter().enumerate() {
            write!(f, "{}{label} {count}", if index == 0 { ": " } else { ", " })?;
        }
        let note = |f: &mut fmt::Formatter<'_>, count: usize, what: &str| {
            if count == 0 { Ok(()) } else { write!(f, "\n{count} {what}") }
        };
        note(f, self.repairs.total, "tags repaired")?;
        note(f, self.units.total, "documents with offsets in another unit converted")?;
        note(f, self.unannotated, "texts without annotations")?;
        for (what, count) in &self.left_out {
            write!(f, "\nleft out: {count} {what}")?;
        }
        for (what, documents) in &self.not_kept {
            write!(f, "\nnot kept: {what} ({documents} documents)")?;
        }
        note(f, self.skipped_rows, "rows of multi-word tokens and empty nodes passed over")?;
        note(f, self.errors, "places could not be read")?;
        if !self.moved_to_meta.is_empty() {
            let fields: Vec<&str> = self.moved_to_meta.iter().map(String::as_str).collect();
            write!(f, "\nunknown fields kept as metadata: {}", fields.join(", "))?;
        }
        if self.byte_order_mark {
            f.write_str("\nbyte order mark skipped")?;
        }
        Ok(())
    }
}
