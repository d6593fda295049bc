//! CoNLL: a token a line, its tag in the last column, a blank line after each sentence.
//!
//! A sentence becomes a document: its tokens joined by single spaces, with their boundaries known. Comments are
//! kept as the metadata `comments` (`# sent_id = ...` as the document's id); where `-DOCSTART-` lines group
//! sentences, the group's number is the metadata `docstart`. Columns between token and tag are not kept.

mod columns;
mod sentence;
mod write;

use std::{
    io::{Cursor, Read},
    path::Path,
};

use schema::{
    Document, Meta,
    tags::{self, Detector, Scheme},
};
use serde_json::Value;

use self::sentence::{Sentence, Sentences};
use crate::{
    Columns, ReadErrorKind, ReadOptions, Report, SchemeEvidence, SchemeFound, compression,
    error::Fault,
    lines::{BYTE_ORDER_MARK, Input},
    tagged,
};

pub(crate) use self::{
    columns::looks_like,
    write::{Rows, Writer},
};

/// Metadata field: the number of the `-DOCSTART-` line that the sentence stands behind.
pub(crate) const DOCUMENT_START: &str = "docstart";
/// Metadata field: the comment lines before the sentence, without their mark.
const COMMENTS: &str = "comments";

pub(crate) struct Conll<'r> {
    sentences: Sentences<'r>,
    scheme: Scheme,
}

impl<'r> Conll<'r> {
    /// A reader of `head` and then `rest`. `head` is all there is where it is `whole`; otherwise the scheme is
    /// concluded from the whole file where it can be read `again`, else from `head`.
    pub(crate) fn new(
        head: Vec<u8>,
        whole: bool,
        rest: Input<'r>,
        again: Option<&Path>,
        options: &ReadOptions,
        report: &mut Report,
    ) -> Result<Self, Fault> {
        let limit = options.limits.document_bytes;
        let columns = Columns::find(&String::from_utf8_lossy(sentences_of(&head, whole)), 1);
        let found = match (options.scheme, again) {
            (Some(scheme), _) => SchemeFound { scheme, evidence: SchemeEvidence::Given },
            (None, Some(path)) => {
                let mut file = compression::open(path).map_err(|e| Fault::fatal(0, e))?;
                if report.byte_order_mark {
                    file.read_exact(&mut [0; BYTE_ORDER_MARK.len()]).map_err(|e| Fault::fatal(0, e))?;
                }
                conclude(Sentences::new(file, columns, limit), true)
            }
            (None, None) => {
                let input = Box::new(sentences_of(&head, whole));
                conclude(Sentences::new(input, columns, limit), whole)
            }
        };
        report.scheme = Some(found);
        report.columns = columns;
        let input: Input<'r> = Box::new(Cursor::new(head).chain(rest));
        Ok(Self { sentences: Sentences::new(input, columns, limit), scheme: found.scheme })
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        let advanced = self.sentences.advance();
        report.columns = self.sentences.columns;
        report.skipped_rows = self.sentences.skipped;
        match advanced {
            Ok(false) => None,
            Ok(true) => Some(document(&mut self.sentences.sentence, self.scheme, report)),
            Err(fault) => Some(Err(fault)),
        }
    }
}

/// The part of `head` that ends with a whole sentence: a cut one would look as if it were tagged wrongly.
fn sentences_of(head: &[u8], whole: bool) -> &[u8] {
    let blank = |end: &[u8]| end.ends_with(b"\n\n") || end.ends_with(b"\n\r\n");
    match (1..=head.len()).rev().find(|end| blank(&head[..*end])) {
        Some(end) if !whole => &head[..end],
        _ => head,
    }
}

/// The scheme with the fewest repairs. Faults are passed over here: the reader itself will tell them.
fn conclude(mut sentences: Sentences<'_>, whole: bool) -> SchemeFound {
    let mut detector = Detector::default();
    loop {
        match sentences.advance() {
            Ok(true) => detector.see(&sentences.sentence.tags),
            Ok(false) => break,
            Err(fault) if fault.fatal => break,
            Err(_) => {}
        }
    }
    let tags::Detection { scheme, repairs, tags } = detector.conclude();
    let evidence =
        if whole { SchemeEvidence::WholeFile { tags, repairs } } else { SchemeEvidence::Beginning { tags, repairs } };
    SchemeFound { scheme, evidence }
}

fn document(sentence: &mut Sentence, scheme: Scheme, report: &mut Report) -> Result<Document, Fault> {
    let lines = &sentence.lines;
    let entities = tagged::entities(&sentence.tokens, &sentence.tags, scheme, |token| lines[token], report);
    report.lines.clone_from(&sentence.lines);
    let line = sentence.lines[0];
    let invalid = |error| Fault::at(line, ReadErrorKind::Document(error));
    let (id, meta) = metadata(sentence);
    let mut document = Document::new(sentence.text.as_str())
        .with_entities(entities)
        .and_then(|document| document.with_tokens(sentence.tokens.clone()))
        .map_err(invalid)?;
    document.id = id;
    document.meta = meta;
    Ok(document)
}

fn metadata(sentence: &mut Sentence) -> (Option<String>, Meta) {
    let (mut id, mut meta) = (None, Meta::new());
    let mut comments = Vec::new();
    for comment in sentence.comments.drain(..) {
        match comment.strip_prefix("sent_id = ") {
            Some(name) if id.is_none() && !name.is_empty() => id = Some(name.to_owned()),
            _ => comments.push(Value::String(comment)),
        }
    }
    if !comments.is_empty() {
        meta.insert(COMMENTS.to_owned(), Value::Array(comments));
    }
    if sentence.document > 0 {
        meta.insert(DOCUMENT_START.to_owned(), sentence.document.into());
    }
    (id, meta)
}
