//! A web page: its main part is one document, what it says about itself the metadata.

use std::io::Read as _;

use schema::Document;
use serde_json::Value;

use crate::{
    Limits, ReadErrorKind, Report,
    error::Fault,
    html::{self, Scope},
    lines::Input,
};

pub(crate) struct WebPage<'r> {
    input: Option<Input<'r>>,
    limits: Limits,
}

impl<'r> WebPage<'r> {
    pub(crate) fn new(input: Input<'r>, limits: Limits) -> Self {
        Self { input: Some(input), limits }
    }

    /// The page, the first time.
    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        let input = self.input.take()?;
        match whole(input, self.limits) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => Some(document(&bytes).inspect(|_| report.unannotated += 1)),
            Err(fault) => Some(Err(fault)),
        }
    }
}

/// All bytes of an input that is one document.
pub(crate) fn whole(input: Input<'_>, limits: Limits) -> Result<Vec<u8>, Fault> {
    let (mut bytes, limit) = (Vec::new(), limits.document_bytes);
    input.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| Fault::fatal(1, error))?;
    if bytes.len() > limit {
        return Err(Fault::fatal(1, ReadErrorKind::Limit { what: "the file", limit, unit: "bytes" }));
    }
    Ok(bytes)
}

fn document(bytes: &[u8]) -> Result<Document, Fault> {
    let decoded = html::decode(bytes, None);
    let page = html::page(&decoded.text, Scope::Main).map_err(|error| Fault::fatal(1, error))?;
    let mut document = Document::new(page.text);
    document.partial = true;
    let said = [("title", page.title), ("date", page.date), ("language", page.language), ("address", page.address)];
    for (field, value) in said {
        document.meta.extend(value.map(|value| (field.to_owned(), Value::String(value))));
    }
    Ok(document)
}
