//! Documents as token rows.

use std::io::{self, Write};

use schema::{
    Document, Span,
    tags::{self, Chunk, Scheme},
};
use serde_json::Value;

use super::DOCUMENT_START;
use crate::Loss;

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
    /// The rows of a document; what they cannot hold is added to `losses`.
    ///
    /// Known tokens are kept; text outside them is split into words and marks. Where an entity starts or ends
    /// inside a token, the token is cut there, so that no entity shifts.
    ///
    /// # Errors
    /// In words: a token or an entity that no row can hold.
    pub(crate) fn of(document: &Document, losses: &mut Vec<Loss>) -> Result<Self, String> {
        let text = document.text();
        let entities = document.entities();
        let mut edges: Vec<usize> = Vec::with_capacity(entities.len() * 2);
        for entity in entities {
            edges.extend([entity.span.start(), entity.span.end()]);
        }
        edges.dedup();
        let mut tokens = Vec::new();
        let mut place = 0;
        for token in document.tokens().unwrap_or_default() {
            words(text, place, token.start(), &edges, &mut tokens);
            let before = tokens.len();
            cut(*token, &edges, &mut tokens);
            if tokens.len() > before + 1 {
                losses.push(Loss::TokenCut);
            }
            place = token.end();
        }
        words(text, place, text.len(), &edges, &mut tokens);

        for token in &tokens {
            let quote = token.quote(text);
            if quote.contains(splits_rows) {
                let quote = quote.escape_debug();
                return Err(format!("its token `{quote}` holds white space, which separates columns; write `jsonl`"));
            }
            if quote == "-DOCSTART-" {
                return Err("its token `-DOCSTART-` would start a new document; write `jsonl`".to_owned());
            }
        }
        if tokens.is_empty() && entities.is_empty() {
            losses.push(Loss::EmptyText);
        } else if !joined_by_spaces(text, &tokens) {
            losses.push(Loss::WhiteSpace);
        }

        if let Some(entity) = entities.iter().find(|entity| entity.label.as_str().contains(splits_rows)) {
            let label = &entity.label;
            return Err(format!(
                "its label `{label}` holds white space, which separates columns; rename it, or write `jsonl`"
            ));
        }
        let mut chunks = Vec::with_capacity(entities.len());
        let mut next = 0;
        for entity in entities {
            let inside = |token: &Span| entity.span.contains(*token);
            let start = next + tokens[next..].iter().take_while(|token| !inside(token)).count();
            let end = start + tokens[start..].iter().take_while(|token| inside(token)).count();
            if start == end {
                let label = &entity.label;
                return Err(format!("its entity {label} covers white space only; correct it, or write `jsonl`"));
            }
            if tokens[start].join(tokens[end - 1]) != entity.span {
                losses.push(Loss::EntityEdges);
            }
            chunks.push(Chunk { tokens: start..end, label: entity.label.clone() });
            next = end;
        }
        Ok(Self { tokens, chunks })
    }

    /// The token of the first row, out of the document's text.
    pub(crate) fn first_token<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.tokens.first().map(|token| token.quote(text))
    }
}

/// White space in the widest sense, so that no reader of the rows sees a column or a line that is not there.
fn splits_rows(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Whether the tokens, joined by single spaces, are the text.
fn joined_by_spaces(text: &str, tokens: &[Span]) -> bool {
    let ends = tokens.first().is_none_or(|first| first.start() == 0)
        && tokens.last().is_none_or(|last| last.end() == text.len());
    ends && tokens.windows(2).all(|pair| &text[pair[0].end()..pair[1].start()] == " ")
}

/// The words and marks of `text[from..to]`, cut at the edges of entities.
///
/// A word is a run of characters that are neither white space nor punctuation; each punctuation character stands
/// alone. Emoji and combining marks are word characters, so joined ones stay whole.
fn words(text: &str, from: usize, to: usize, edges: &[usize], tokens: &mut Vec<Span>) {
    let mut start = None;
    let mut close = |start: &mut Option<usize>, end: usize| {
        if let Some(span) = start.take().and_then(|start| Span::new(start, end).ok()) {
            cut(span, edges, tokens);
        }
    };
    for (at, character) in text[from..to].char_indices() {
        let at = from + at;
        if splits_rows(character) {
            close(&mut start, at);
        } else if is_punctuation(character) {
            close(&mut start, at);
            start = Some(at);
            close(&mut start, at + character.len_utf8());
        } else if start.is_none() {
            start = Some(at);
        }
    }
    close(&mut start, to);
}

fn is_punctuation(character: char) -> bool {
    (character.is_ascii_punctuation() && character != '_')
        || matches!(character, '\u{a1}' | '\u{ab}' | '\u{b7}' | '\u{bb}' | '\u{bf}' | '\u{2010}'..='\u{2027}')
        || matches!(character, '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}')
        || matches!(character, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

/// A token in the pieces that the edges inside it make.
fn cut(token: Span, edges: &[usize], tokens: &mut Vec<Span>) {
    let mut start = token.start();
    let first = edges.partition_point(|edge| *edge <= token.start());
    for edge in edges[first..].iter().take_while(|edge| **edge < token.end()).chain([&token.end()]) {
        tokens.extend(Span::new(start, *edge));
        start = *edge;
    }
}
