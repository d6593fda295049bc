//! A row as a document, and back.

use std::collections::HashMap;

use schema::{
    Document, Meta, Span,
    tags::{self, Scheme, Tag},
};

use super::names::Names;
use crate::{Loss, ReadErrorKind, Report, tagged, tokens};

/// How many tags are kept by name, so that each label is made once.
const KNOWN: usize = 10_000;

/// A row as its file has it.
pub(super) struct Row {
    pub(super) id: Option<String>,
    pub(super) tokens: Vec<String>,
    pub(super) tags: Vec<Cell>,
    /// The column of the tags.
    pub(super) field: &'static str,
    pub(super) meta: Meta,
}

/// A tag as its file has it.
pub(super) enum Cell {
    Name(String),
    Number(i64),
}

/// Makes documents of rows.
pub(super) struct Decoder {
    names: Option<Names>,
    known: HashMap<String, Tag>,
    pub(super) scheme: Scheme,
}

impl Decoder {
    pub(super) fn new(names: Option<Names>) -> Self {
        Self { names, known: HashMap::new(), scheme: Scheme::Iob2 }
    }

    /// The tags of a row.
    pub(super) fn tags(&mut self, row: &Row) -> Result<Vec<Tag>, ReadErrorKind> {
        let problem = |problem: String| ReadErrorKind::Field { field: row.field.to_owned(), problem };
        if row.tags.len() != row.tokens.len() {
            let (tags, tokens) = (row.tags.len(), row.tokens.len());
            return Err(problem(format!("holds {tags} tags for {tokens} tokens; each token needs one")));
        }
        let mut tags = Vec::with_capacity(row.tags.len());
        for (cell, token) in row.tags.iter().zip(&row.tokens) {
            tags.push(match (cell, &self.names) {
                (Cell::Name(name), _) => self.named(name, token)?,
                (Cell::Number(number), Some(names)) => names.tag(*number).map_err(problem)?.clone(),
                (Cell::Number(number), None) => {
                    return Err(problem(format!(
                        "holds numbers such as {number}, and nothing tells the names of the tags: give them in their order (`nomen convert --tag-names O,B-PER,I-PER,...`), or put the data set's `dataset_info.json` beside the file"
                    )));
                }
            });
        }
        Ok(tags)
    }

    fn named(&mut self, name: &str, token: &str) -> Result<Tag, ReadErrorKind> {
        if let Some(tag) = self.known.get(name) {
            return Ok(tag.clone());
        }
        let tag: Tag =
            name.parse().map_err(|error| ReadErrorKind::Tag { token: token.escape_debug().to_string(), error })?;
        if self.known.len() < KNOWN {
            self.known.insert(name.to_owned(), tag.clone());
        }
        Ok(tag)
    }

    /// The document that a row is; `place` is its line or its number.
    pub(super) fn document(&mut self, row: Row, place: usize, report: &mut Report) -> Result<Document, ReadErrorKind> {
        let tags = self.tags(&row)?;
        let (mut text, mut spans) = (String::new(), Vec::with_capacity(row.tokens.len()));
        for token in &row.tokens {
            if !spans.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(token);
            spans.push(Span::new(start, text.len()).map_err(|_| ReadErrorKind::EmptyToken)?);
        }
        let entities = tagged::entities(&spans, &tags, self.scheme, |_| place, report);
        let mut document = Document::new(text).with_entities(entities)?.with_tokens(spans)?;
        document.id = row.id;
        document.meta = row.meta;
        Ok(document)
    }
}

/// A document as tokens and tags.
pub(crate) struct Tagged<'d> {
    pub(super) id: Option<&'d str>,
    pub(super) tokens: Vec<&'d str>,
    pub(super) tags: Vec<Tag>,
}

impl<'d> Tagged<'d> {
    /// The row of a document; what it cannot hold is added to `losses`.
    ///
    /// # Errors
    /// In words: an entity that no row can hold.
    pub(crate) fn of(document: &'d Document, scheme: Scheme, losses: &mut Vec<Loss>) -> Result<Self, String> {
        let text = document.text();
        let spans = tokens::tokens(document, losses);
        let chunks = tokens::chunks(document, &spans, losses)?;
        if !tokens::joined_by_spaces(text, &spans) || (spans.is_empty() && !text.is_empty()) {
            losses.push(Loss::WhiteSpace);
        }
        let tags = tags::encode(scheme, spans.len(), &chunks);
        let tokens = spans.iter().map(|span| span.quote(text)).collect();
        Ok(Self { id: document.id.as_deref(), tokens, tags })
    }
}
