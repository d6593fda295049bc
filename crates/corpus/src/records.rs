//! The formats of annotation tools: each element of the file is an object that becomes a document.

use schema::Document;
use serde_json::Value;

use crate::{
    ReadErrorKind, ReadOptions, Report, argilla, doccano,
    elements::{Elements, Shape},
    error::Fault,
    fields, gliner, label_studio,
    lines::Input,
    prodigy, spacy_list,
};

/// Where an element stands, and what is known and found so far.
pub(crate) struct Place<'p> {
    pub(crate) line: usize,
    pub(crate) options: &'p ReadOptions,
    pub(crate) report: &'p mut Report,
}

/// What an element of a format becomes; `None` where the file itself sets it aside, which the report counts.
type Parse = fn(Value, &mut Place<'_>) -> Result<Option<Document>, ReadErrorKind>;

/// The formats that are made of JSON elements.
pub(crate) enum Dialect {
    SpacyList,
    Prodigy,
    Doccano,
    LabelStudio,
    Argilla,
    Gliner,
}

pub(crate) struct Records<'r> {
    elements: Elements<'r>,
    parse: Parse,
    options: ReadOptions,
}

impl<'r> Records<'r> {
    pub(crate) fn new(dialect: &Dialect, input: Input<'r>, options: &ReadOptions) -> Self {
        let (shape, expected, parse): (Shape, &str, Parse) = match dialect {
            Dialect::SpacyList => (Shape::List, spacy_list::EXPECTED, spacy_list::document),
            Dialect::Prodigy => (Shape::Object, prodigy::EXPECTED, prodigy::document),
            Dialect::Doccano => (Shape::Object, doccano::EXPECTED, doccano::document),
            Dialect::LabelStudio => (Shape::Object, label_studio::EXPECTED, label_studio::document),
            Dialect::Argilla => (Shape::Object, argilla::EXPECTED, argilla::document),
            Dialect::Gliner => (Shape::Object, gliner::EXPECTED, gliner::document),
        };
        Self { elements: Elements::new(input, options.limits, shape, expected), parse, options: options.clone() }
    }

    pub(crate) fn next(&mut self, report: &mut Report) -> Option<Result<Document, Fault>> {
        loop {
            let (line, value) = match self.elements.next()? {
                Ok(element) => element,
                Err(fault) => return Some(Err(fault)),
            };
            let mut place = Place { line, options: &self.options, report };
            match (self.parse)(value, &mut place) {
                Ok(Some(document)) => {
                    report.lines = vec![line];
                    return Some(Ok(document));
                }
                Ok(None) => {}
                Err(kind) => return Some(Err(Fault::at(line, kind))),
            }
        }
    }
}

/// The object that an element has to be.
pub(crate) fn element(value: Value, expected: &str) -> Result<fields::Object, ReadErrorKind> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(fields::wrong("the element", expected, &other)),
    }
}
