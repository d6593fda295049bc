//! Annotated text in files: streaming readers and writers for every [`Format`].
//!
//! [`open`] finds out the format (and, for CoNLL, the columns and the tag scheme), then gives one
//! [`schema::Document`] after the other; memory is bounded by the largest of them. [`Reader::report`] tells what
//! was found and every repair that was made. What cannot be read is a [`ReadError`] with file and line, never a
//! dropped line. [`Writer`] goes the other way and returns what the target format could not hold ([`Losses`]).
//!
//! Offsets in files are Unicode code points, end exclusive; inside Nomen they are UTF-8 bytes. The conversion is
//! [`schema::offset`]'s.
//!
//! ```
//! use nomen_corpus::{Format, WriteOptions, Writer, read};
//!
//! let rows = "Ada\tB-PER\nLovelace\tI-PER\nwrote\tO\n";
//! let mut reader = read(rows.as_bytes(), "rows", Format::Conll)?;
//! let mut writer = Writer::new(Vec::new(), "lines", Format::Jsonl, WriteOptions::default());
//! for document in reader.by_ref() {
//!     writer.write(&document?)?;
//! }
//! let (lines, losses) = writer.finish()?;
//! assert!(String::from_utf8(lines)?.starts_with(r#"{"text":"Ada Lovelace wrote","entities":[{"start":0,"end":12"#));
//! assert!(losses.is_empty());
//! assert_eq!(reader.report().entity_count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// The formats' names (CoNLL, doccano) are no code.
#![allow(clippy::doc_markdown)]

mod annotation;
mod argilla;
pub mod augment;
pub mod check;
pub mod collect;
mod compression;
mod conll;
mod detect;
mod docbin;
mod doccano;
pub mod duplicates;
mod elements;
mod error;
mod fields;
mod fingerprint;
mod format;
mod gliner;
mod holds;
pub mod html;
mod huggingface;
mod json;
mod jsonl;
mod label_studio;
mod limits;
mod lines;
mod loss;
mod markdown;
mod mix;
pub mod prepare;
mod prodigy;
mod reader;
mod records;
mod rehearsal;
mod replace;
mod report;
mod spacy_list;
pub mod split;
mod table;
mod tagged;
mod text;
mod tokens;
mod web_page;
mod whole_file;
mod writer;

pub use detect::{Evidence, Unrecognized};
pub use error::{EntityFault, ReadError, ReadErrorKind, WriteError};
pub use fingerprint::{Fingerprint, fingerprint};
pub use format::{Format, UnknownFormat};
pub use limits::Limits;
pub use loss::{Loss, Losses};
pub use reader::{ReadOptions, Reader, open, open_with, read, read_all, read_with};
pub use rehearsal::rehearsal;
pub use replace::{ReplaceError, replace};
pub use report::{Columns, LeftOut, Listed, Report, SchemeEvidence, SchemeFound, Separator, TagRepair, UnitSwitch};
pub use writer::{Atomic, WriteOptions, Writer};
