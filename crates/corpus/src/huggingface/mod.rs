//! Hugging Face rows, `{"id","tokens":[...],"ner_tags":[...]}`, as JSON lines or as Parquet.
//!
//! The tags are names (`B-PER`), or numbers in a list of names, which a Parquet file carries with it (the features
//! of the library `datasets`), a `dataset_info.json` beside the file tells, or the caller. AutoTrain's `tags` is
//! read as well as `ner_tags`. A row becomes a document: its tokens joined by single spaces, with their boundaries
//! known. Other columns become metadata.

mod lines;
mod names;
mod row;
mod table;

use std::path::Path;

use schema::{
    Document,
    tags::{Detection, Detector},
};

use self::{
    lines::Lines,
    names::Names,
    row::{Decoder, Row},
    table::{ParquetRows, Table},
};
pub(crate) use self::{lines::write as write_line, row::Tagged, table::Writer as ParquetWriter};
use crate::{
    Evidence, Format, ReadErrorKind, ReadOptions, Report, SchemeEvidence, SchemeFound, error::Fault, lines::Input,
};

/// Where a row's tokens stand.
const TOKENS: &str = "tokens";
/// Where a row's tags can stand; the first of them that is there.
const TAGS: [&str; 2] = ["ner_tags", "tags"];
/// Where a row's name stands.
const ID: &str = "id";
/// How many rows of a Parquet file are looked at to conclude the scheme.
const SAMPLE: usize = 20_000;
/// The first bytes of a Parquet file, and the last.
const MAGIC: &[u8] = b"PAR1";

/// Whether a file that starts with `head` is Parquet.
pub(crate) fn looks_like_parquet(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Whether a line is a row: an object with a list of tokens and one of tags.
pub(crate) fn looks_like_row(line: &str) -> bool {
    let Ok(row) = serde_json::from_str::<serde_json::Value>(line) else { return false };
    let list = |field: &str| row.get(field).is_some_and(serde_json::Value::is_array);
    let words = || row[TOKENS][0].is_string() || row[TOKENS][0].is_null();
    list(TOKENS) && TAGS.into_iter().any(list) && words()
}

/// The reader of rows, in whichever container.
pub(crate) struct HuggingFace<'r> {
    rows: Rows<'r>,
    decoder: Decoder,
}

enum Rows<'r> {
    Lines(Lines<'r>),
    Parquet(Box<ParquetRows>),
}

impl<'r> HuggingFace<'r> {
    /// A reader of `head` and then `rest`; `head` is all there is where it is `whole`.
    ///
    /// The scheme of JSON lines is concluded from `head`, that of a Parquet file from its first rows. `path` is where
    /// the file lies, if it is a file.
    pub(crate) fn new(
        head: Vec<u8>,
        whole: bool,
        rest: Input<'r>,
        path: Option<&Path>,
        options: &ReadOptions,
        report: &mut Report,
    ) -> Result<Self, Fault> {
        let fatal = |kind: ReadErrorKind| Fault::fatal(0, kind);
        let mut names = options.tag_names.as_deref().map(Names::new).transpose().map_err(fatal)?;
        let limits = options.limits;
        let (rows, sample) = if head.starts_with(MAGIC) {
            let table = Table::new(&head, rest, limits).map_err(fatal)?;
            if names.is_none() {
                names = table.names().map_err(fatal)?;
            }
            (Rows::Parquet(Box::new(table.rows()?)), Rows::Parquet(Box::new(table.rows()?)))
        } else {
            let sample = lines::whole_lines(&head, whole).to_vec();
            let sample = Rows::Lines(Lines::new(sample, Box::new(std::io::empty()), limits));
            (Rows::Lines(Lines::new(head, rest, limits)), sample)
        };
        if let (None, Some(path)) = (&names, path) {
            names = Names::beside(path).map_err(fatal)?;
        }
        let mut decoder = Decoder::new(names);
        let found = match options.scheme {
            Some(scheme) => SchemeFound { scheme, evidence: SchemeEvidence::Given },
            None => conclude(sample, &mut decoder, whole),
        };
        report.scheme = Some(found);
        decoder.scheme = found.scheme;
        Ok(Self { rows, decoder })
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        let (place, row) = self.rows.next(report)?;
        let document = row.and_then(|row| {
            let document = self.decoder.document(row, place, report);
            document.map_err(|kind| self.rows.fault(place, kind))
        });
        Some(document)
    }
}

impl Rows<'_> {
    /// The next row, with its line or its number.
    fn next(&mut self, report: &mut Report) -> Option<(usize, Result<Row, Fault>)> {
        match self {
            Self::Lines(lines) => lines.next(report),
            Self::Parquet(parquet) => parquet.next(report),
        }
    }

    fn fault(&self, place: usize, kind: ReadErrorKind) -> Fault {
        match self {
            Self::Lines(_) => Fault::at(place, kind),
            Self::Parquet(_) => Fault::record("row", place, kind),
        }
    }
}

/// The scheme with the fewest repairs. Faults are passed over here: the reader itself will tell them. `whole` tells
/// whether the lines of the sample are all there are.
fn conclude(mut rows: Rows<'_>, decoder: &mut Decoder, whole: bool) -> SchemeFound {
    let mut detector = Detector::default();
    let mut unused = Report::new(Format::Huggingface, Evidence::Given);
    let (mut ended, most) = match &rows {
        Rows::Lines(_) => (whole, usize::MAX),
        Rows::Parquet(_) => (false, SAMPLE),
    };
    for _ in 0..most {
        match rows.next(&mut unused) {
            Some((_, Ok(row))) => detector.see(&decoder.tags(&row).unwrap_or_default()),
            Some((_, Err(fault))) if fault.fatal => break,
            Some((_, Err(_))) => {}
            None => {
                ended |= matches!(rows, Rows::Parquet(_));
                break;
            }
        }
    }
    let Detection { scheme, repairs, tags } = detector.conclude();
    let evidence =
        if ended { SchemeEvidence::WholeFile { tags, repairs } } else { SchemeEvidence::Beginning { tags, repairs } };
    SchemeFound { scheme, evidence }
}
