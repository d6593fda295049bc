//! Documents as token rows.

use std::io::{self, Write};

use schema::{
    Document, Span,
    tags::{self, Chunk, Scheme},
};
use serde_json::Value;

use super::DOCUMENT_START;
use crate::{Loss, tokens};

/// Writes sentences in one scheme; remembers which `-DOCSTART-` group the last one belonged to.
pub(crate) struct Writer {
    scheme: Scheme,
    document_start: Option<Value>,
}

/// A document as rows.
pub(crate) struct Rows {
    pub(crate) tokens: Vec<Span>,
    pub(crate) chunks: Vec<Chunk>,
}

impl Writer {
    pub(crate) fn new(scheme: Scheme) -> Self {
        Self { scheme, document_start: None }
    }

    /// Writes a document's rows and the blank line behind them; nothing for a text without tokens.
    pub(crate) fn write(&mut self, out: &mut impl Write, document: &Document, rows: &Rows) -> io::Result<()> {
        if rows.tokens.is_empty() {
            return Ok(());
        }
        if let Some(start) = document.meta.get(DOCUMENT_START)
            && self.document_start.as_ref() != Some(start)
        {
            self.document_start = Some(start.clone());
            out.write_all(b"-DOCSTART-\tO\n\n")?;
        }
        for (token, tag) in rows.tokens.iter().zip(tags::encode(self.scheme, rows.tokens.len(), &rows.chunks)) {
            writeln!(out, "{}\t{tag}", token.quote(document.text()))?;
        }
        out.write_all(b"\n")
    }
}

impl Rows {
    /// The rows of a document, one for each of its [`tokens::tokens`]; what they cannot hold is added to `losses`.
    ///
    /// # Errors
    /// In words: a token or an entity that no row can hold.
    pub(crate) fn of(document: &Document, losses: &mut Vec<Loss>) -> Result<Self, String> {
        let text = document.text();
        let entities = document.entities();
        let tokens = tokens::tokens(document, losses);
        for token in &tokens {
            let quote = token.quote(text);
            if quote.contains(tokens::is_space) {
                let quote = quote.escape_debug();
                return Err(format!("its token `{quote}` holds white space, which separates columns; write `jsonl`"));
            }
            if quote == "-DOCSTART-" {
                return Err("its token `-DOCSTART-` would start a new document; write `jsonl`".to_owned());
            }
        }
        if !tokens::joined_by_spaces(text, &tokens) {
            losses.push(Loss::WhiteSpace);
        }

        if let Some(entity) = entities.iter().find(|entity| entity.label.as_str().contains(tokens::is_space)) {
            let label = &entity.label;
            return Err(format!(
                "its label `{label}` holds white space, which separates columns; rename it, or write `jsonl`"
            ));
        }
        let chunks = tokens::chunks(document, &tokens, losses)?;
        Ok(Self { tokens, chunks })
    }

    /// Whether a file of rows shows nothing of the document.
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token of the first row, out of the document's text.
    pub(crate) fn first_token<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.tokens.first().map(|token| token.quote(text))
    }
}
