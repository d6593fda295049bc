//! What readers and writers must do, seen from outside.
#![allow(clippy::doc_markdown, clippy::unwrap_used)]

mod annotations;
mod augment;
mod checks;
mod conll;
mod docbin;
mod duplicates;
mod huggingface;
mod mutations;
mod prepare;
mod real_files;
mod real_round_trips;
mod round_trips;
mod segments;
mod split;
mod streams;
mod tools;
mod units;
mod writers;

use nomen_corpus::{Format, ReadError, Report, WriteOptions, Writer, read};
use schema::{Document, Entity, Label, Span};

/// Every document of `bytes`, or the first error.
fn read_bytes(bytes: &[u8], format: Format) -> Result<(Vec<Document>, Report), ReadError> {
    let mut reader = read(bytes, "data", format)?;
    let documents = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((documents, reader.into_report()))
}

/// The message of the first error.
fn error_of(text: &str, format: Format) -> String {
    read_bytes(text.as_bytes(), format).expect_err("was read").to_string()
}

fn write_bytes(documents: &[Document], format: Format, options: WriteOptions) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), "out", format, options);
    for document in documents {
        writer.write(document).unwrap();
    }
    writer.finish().unwrap().0
}

fn entity(start: usize, end: usize, label: &str) -> Entity {
    Entity::new(Span::new(start, end).unwrap(), Label::new(label).unwrap())
}

fn document(text: &str, entities: Vec<Entity>) -> Document {
    Document::new(text).with_entities(entities).unwrap()
}
