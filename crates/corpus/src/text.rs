//! Plain text: each line a document.

use std::io::{self, Write};

use schema::Document;

use crate::{
    Limits, Report,
    error::Fault,
    lines::{Input, Lines},
};

pub(crate) struct Text<'r> {
    lines: Lines<'r>,
}

impl<'r> Text<'r> {
    pub(crate) fn new(input: Input<'r>, limits: Limits) -> Self {
        Self { lines: Lines::new(input, limits.document_bytes) }
    }

    /// The next line; an empty one is an empty document, so that line n of the output stays that of the input.
    /// Nobody annotated the text, so it is partial.
    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        let line = self.lines.next()?;
        Some(line.map(|(number, text)| {
            report.unannotated += 1;
            report.lines = vec![number];
            let mut document = Document::new(text);
            document.partial = true;
            document
        }))
    }
}

/// What keeps a document from being a line of text.
pub(crate) fn refusal(document: &Document) -> Option<String> {
    document.text().contains(['\n', '\r']).then(|| "its text holds a line end; write `jsonl`".to_owned())
}

pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    out.write_all(document.text().as_bytes())?;
    out.write_all(b"\n")
}
