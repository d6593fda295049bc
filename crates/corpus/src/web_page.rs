//! A web page: its main part is one document, what it says about itself the metadata.

use schema::Document;
use serde_json::Value;

use crate::{
    error::Fault,
    html::{self, Scope},
};

pub(crate) fn document(bytes: &[u8]) -> Result<Document, Fault> {
    let decoded = html::decode(bytes, None);
    let page = html::page(&decoded.text, Scope::Main).map_err(|error| Fault::fatal(1, error))?;
    let mut document = Document::new(page.text);
    let said = [("title", page.title), ("date", page.date), ("language", page.language), ("address", page.address)];
    for (field, value) in said {
        document.meta.extend(value.map(|value| (field.to_owned(), Value::String(value))));
    }
    Ok(document)
}
