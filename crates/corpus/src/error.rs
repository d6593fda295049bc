//! What can go wrong at a file's edge, always with the file, the line and the way out.

use std::{io, path::PathBuf};

use schema::{
    DocumentError, LabelError,
    offset::{Unit, UnitError},
    tags::TagError,
};
use thiserror::Error;

use crate::{Format, Unrecognized, html::HtmlError};

/// A place in a file that cannot be read.
#[derive(Debug, Error)]
#[error("{}{kind}", place(.path, *.line))]
pub struct ReadError {
    /// The file, or the name that the input was given.
    pub path: PathBuf,
    /// The line, counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong there; part of the message, so not a source beside it.
    pub kind: Box<ReadErrorKind>,
}

fn place(path: &std::path::Path, line: usize) -> String {
    if line == 0 { format!("{}: ", path.display()) } else { format!("{}:{line}: ", path.display()) }
}

/// What is wrong with a place in a file.
#[derive(Debug, Error)]
pub enum ReadErrorKind {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The format shows neither in the content nor in the name.
    #[error(transparent)]
    Unrecognized(#[from] Unrecognized),
    /// Bytes that are not UTF-8.
    #[error("not valid UTF-8 at byte {column} of the line; save the file as UTF-8")]
    Encoding {
        /// Position in the line, in bytes from 1.
        column: usize,
    },
    /// A page of which no text can be taken.
    #[error(transparent)]
    Html(#[from] HtmlError),
    /// A UTF-16 file.
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    /// More than the limits allow.
    #[error("{what} exceeds the limit of {limit} {unit}; split it, or raise the limit if the file is sound")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large it may be.
        limit: usize,
        /// What the limit counts.
        unit: &'static str,
    },
    /// Not what the format is made of.
    #[error("not a sound `{read_as}` file: {problem}")]
    Damaged {
        /// The format that was expected.
        read_as: Format,
        /// Where, and what is wrong.
        problem: String,
    },
    /// A part of a file that has no lines.
    #[error("{what} {number}: {kind}")]
    Record {
        /// What the file is made of.
        what: &'static str,
        /// Its position, from 1.
        number: usize,
        /// What is wrong with it.
        kind: Box<ReadErrorKind>,
    },
    /// Not JSON.
    #[error("malformed JSON at column {column}: {message}")]
    Json {
        /// Byte position in the line, from 1.
        column: usize,
        /// What the parser expected.
        message: String,
    },
    /// The brackets and commas around the elements of a JSON list are not right.
    #[error("malformed JSON: {message}")]
    Structure {
        /// What was expected.
        message: String,
    },
    /// A key occurs twice in one JSON object, so that one of the values would be lost.
    #[error("column {column}: key `{key}` occurs twice in one object; keep one of the values")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Byte position in the line, from 1.
        column: usize,
    },
    /// A JSON field does not hold what the format says.
    #[error("field `{field}`: {problem}")]
    Field {
        /// Path of the field in the document.
        field: String,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A field that another tool's format uses for annotations; taken for metadata they would be lost.
    #[error(
        "field `{field}` is not part of the format `{read_as}`; it looks like {tool}: convert the file, or rename the field if it is metadata"
    )]
    Foreign {
        /// The field.
        field: String,
        /// The format that was expected.
        read_as: Format,
        /// Whose field it is.
        tool: &'static str,
    },
    /// A row has another number of columns than the rows before it.
    #[error(
        "{found} {}, but {expected} in line {first_line}; each row needs a token and a tag and as many columns as the others",
        if *.found == 1 { "column" } else { "columns" }
    )]
    Columns {
        /// Columns of this row.
        found: usize,
        /// Columns of the first row.
        expected: usize,
        /// Line of the first row.
        first_line: usize,
    },
    /// A row of a table has another number of cells than its header.
    #[error("{found} cells, but the header has {expected}; quote cells that hold the separator")]
    Cells {
        /// Cells of this row.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// A single column, where a token and a tag are needed.
    #[error(
        "one column only; a CoNLL row needs a token and a tag, separated by a tab or spaces (read plain text as `text`)"
    )]
    OneColumn,
    /// A row without a token.
    #[error("the token is empty; give the row a token or delete it")]
    EmptyToken,
    /// A tag that no scheme knows.
    #[error("token `{token}`: {error}")]
    Tag {
        /// The token that carries it.
        token: String,
        /// What is wrong with it.
        error: TagError,
    },
    /// A name that cannot be a label.
    #[error("field `{field}`: {error}")]
    Label {
        /// Path of the field in the document.
        field: String,
        /// What is wrong with it.
        error: LabelError,
    },
    /// An entity whose offsets are not a span of the text, or not proven to be the one that was meant.
    #[error(transparent)]
    Entity(#[from] EntityFault),
    /// A text and its annotations contradict each other in another way.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// What is wrong with an entity of a document.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EntityFault {
    /// The offsets are not a span of the text.
    #[error("entity {index} ({label} at {start}..{end}): {problem}; correct the offsets (code points, end exclusive)")]
    Offsets {
        /// Position in the list, from 1.
        index: usize,
        /// Its label.
        label: String,
        /// Its start, as the file has it.
        start: usize,
        /// Its end.
        end: usize,
        /// What is wrong.
        problem: schema::SpanError,
    },
    /// No unit of offsets could be proven.
    #[error("entity {index} ({label}): {error}")]
    Unit {
        /// Position of the first entity that does not fit, from 1.
        index: usize,
        /// Its label.
        label: String,
        /// What was tried.
        error: UnitError,
    },
    /// Offsets that fit two units, in a file that was seen to count in the one that it should not.
    #[error(
        "the offsets could count Unicode code points or {other}, as those of line {line} proved to do; count code points in all lines, or add the quoted `text` where it is missing"
    )]
    Doubtful {
        /// The unit that an earlier document was proven to count in.
        other: Unit,
        /// Where.
        line: usize,
    },
    /// Offsets that fit characters as a reader sees them, and mean other spans then.
    #[error(
        "the offsets could count code points, UTF-16 units or grapheme clusters (an emoji of several parts, a letter with its accents, CRLF) and mean different spans; say that they do not count clusters (`nomen convert --offsets code-points` or `utf16`), or export from a project that does not count them"
    )]
    Clusters,
    /// Token indices that are no tokens of the text.
    #[error(
        "entity {index} ({label}): tokens {start} to {end} of {count}; correct the indices (from 0, end inclusive)"
    )]
    Tokens {
        /// Position in the list, from 1.
        index: usize,
        /// Its label.
        label: String,
        /// Its first token, as the file has it.
        start: usize,
        /// Its last token.
        end: usize,
        /// How many tokens there are.
        count: usize,
    },
    /// Two entities share text.
    #[error(
        "entities {first} ({first_label} at {first_start}..{first_end}) and {second} ({second_label} at {second_start}..{second_end}) overlap; keep one of them"
    )]
    Overlap {
        /// Position of the one that starts first, from 1.
        first: usize,
        /// Its label.
        first_label: String,
        /// Its start, as the file has it.
        first_start: usize,
        /// Its end.
        first_end: usize,
        /// Position of the other.
        second: usize,
        /// Its label.
        second_label: String,
        /// Its start.
        second_start: usize,
        /// Its end.
        second_end: usize,
    },
}

/// A line and what is wrong with it; the reader adds the file.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) kind: ReadErrorKind,
    /// Nothing behind this place can be read.
    pub(crate) fatal: bool,
}

impl Fault {
    pub(crate) fn at(line: usize, kind: impl Into<ReadErrorKind>) -> Self {
        Self { line, kind: kind.into(), fatal: false }
    }

    pub(crate) fn fatal(line: usize, kind: impl Into<ReadErrorKind>) -> Self {
        Self { line, kind: kind.into(), fatal: true }
    }

    /// A fault in a part of a file that has no lines.
    pub(crate) fn record(what: &'static str, number: usize, kind: impl Into<ReadErrorKind>) -> Self {
        Self::at(0, ReadErrorKind::Record { what, number, kind: Box::new(kind.into()) })
    }

    pub(crate) fn in_file(self, path: impl Into<PathBuf>) -> ReadError {
        ReadError { path: path.into(), line: self.line, kind: Box::new(self.kind) }
    }
}

/// Why a document could not be written. Nothing of the document was written then.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The operating system refused.
    #[error("{}: cannot be written: {error}", path.display())]
    Io {
        /// The file, or the name of the output.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The format has no way to hold the document without changing what it says.
    #[error("document {document} cannot be written as {format}: {problem}")]
    CannotHold {
        /// Position of the document, from 1, and its name if it has one.
        document: String,
        /// The format.
        format: Format,
        /// What it cannot hold, and the way out.
        problem: String,
    },
}
