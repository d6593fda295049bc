//! Files that are one document each: web pages and Markdown.

use std::io::Read as _;

use schema::Document;

use crate::{Limits, ReadErrorKind, Report, error::Fault, lines::Input};

pub(crate) struct WholeFile<'r> {
    input: Option<Input<'r>>,
    limits: Limits,
    parse: Parse,
}

/// What a file's bytes are.
type Parse = fn(&[u8]) -> Result<Document, Fault>;

impl<'r> WholeFile<'r> {
    pub(crate) fn new(input: Input<'r>, limits: Limits, parse: Parse) -> Self {
        Self { input: Some(input), limits, parse }
    }

    /// The file, the first time. Nobody annotated it.
    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        let input = self.input.take()?;
        match whole(input, self.limits) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => Some((self.parse)(&bytes).map(|mut document| {
                report.unannotated += 1;
                document.partial = true;
                document
            })),
            Err(fault) => Some(Err(fault)),
        }
    }
}

fn whole(input: Input<'_>, limits: Limits) -> Result<Vec<u8>, Fault> {
    let (mut bytes, limit) = (Vec::new(), limits.document_bytes);
    input.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| Fault::fatal(1, error))?;
    if bytes.len() > limit {
        return Err(Fault::fatal(1, ReadErrorKind::Limit { what: "the file", limit, unit: "bytes" }));
    }
    Ok(bytes)
}
