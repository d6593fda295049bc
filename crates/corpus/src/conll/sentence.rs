//! Rows to sentences.

use std::collections::HashMap;

use schema::{Span, tags::Tag};

use super::columns::Line;
use crate::{
    Columns, ReadErrorKind,
    error::Fault,
    lines::{Input, Lines},
};

/// One sentence: its text, the tokens' places in it, their tags and lines.
#[derive(Default)]
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) tokens: Vec<Span>,
    pub(super) tags: Vec<Tag>,
    pub(super) lines: Vec<usize>,
    /// Comments since the sentence before.
    pub(super) comments: Vec<String>,
    /// How many `-DOCSTART-` lines came before it.
    pub(super) document: usize,
}

impl Sentence {
    fn clear(&mut self) {
        self.text.clear();
        self.tokens.clear();
        self.tags.clear();
        self.lines.clear();
        self.comments.clear();
    }
}

/// The sentences of an input, into one buffer that is used again and again.
pub(super) struct Sentences<'r> {
    lines: Lines<'r>,
    limit: usize,
    pub(super) columns: Option<Columns>,
    pub(super) sentence: Sentence,
    pub(super) skipped: usize,
    document: usize,
    /// Every tag seen so far, so that each label is made once.
    known: HashMap<String, Tag>,
}

/// Tags kept for reuse; a file with more different ones is broken or hostile.
const KNOWN: usize = 100_000;

impl<'r> Sentences<'r> {
    pub(super) fn new(input: Input<'r>, columns: Option<Columns>, limit: usize) -> Self {
        let lines = Lines::new(input, limit);
        Self { lines, limit, columns, sentence: Sentence::default(), skipped: 0, document: 0, known: HashMap::new() }
    }

    /// Reads the next sentence into the buffer; `false` at the end.
    ///
    /// Of a sentence with several faults the first is told, and the sentence is passed over.
    pub(super) fn advance(&mut self) -> Result<bool, Fault> {
        self.sentence.clear();
        let (mut fault, mut rows, mut size) = (None, 0usize, 0usize);
        loop {
            let (line, text) = match self.lines.next() {
                None => break,
                Some(Ok(line)) => line,
                Some(Err(next)) if next.fatal => return Err(next),
                Some(Err(next)) => {
                    rows += 1;
                    fault.get_or_insert(next);
                    continue;
                }
            };
            if self.columns.is_none() {
                self.columns = Columns::find(text, line);
            }
            let read = match &self.columns {
                Some(columns) => columns.read(text),
                // Without a row there is nothing to tell comments and blank lines from.
                None => Columns { first_line: line, ..COMMENTS }.read(text),
            };
            size += text.len();
            if size > self.limit {
                return Err(Fault::fatal(
                    line,
                    ReadErrorKind::Limit { what: "the sentence", limit: self.limit, unit: "bytes" },
                ));
            }
            match read {
                Line::Blank if rows == 0 => {}
                Line::Blank => break,
                Line::DocumentStart => {
                    self.document += 1;
                    if rows > 0 {
                        break;
                    }
                }
                Line::Comment(comment) => self.sentence.comments.push(comment.to_owned()),
                Line::Skipped => self.skipped += 1,
                Line::Wrong(kind) => {
                    rows += 1;
                    fault.get_or_insert(Fault::at(line, kind));
                }
                Line::Row { token, tag } => {
                    if rows == 0 {
                        self.sentence.document = self.document;
                    }
                    rows += 1;
                    if let Err(next) = push(&mut self.sentence, &mut self.known, line, token, tag) {
                        fault.get_or_insert(next);
                    }
                }
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None => Ok(rows > 0),
        }
    }
}

/// Columns for lines before the first row: every one of them is blank, a comment or the start of a document.
const COMMENTS: Columns =
    Columns { separator: crate::Separator::Spaces, count: usize::MAX, token: 0, tag: usize::MAX, first_line: 0 };

fn push(
    sentence: &mut Sentence,
    known: &mut HashMap<String, Tag>,
    line: usize,
    token: &str,
    tag: &str,
) -> Result<(), Fault> {
    let tag = if let Some(tag) = known.get(tag) {
        tag.clone()
    } else {
        let new: Tag = tag
            .parse()
            .map_err(|error| Fault::at(line, ReadErrorKind::Tag { token: token.escape_debug().to_string(), error }))?;
        if known.len() < KNOWN {
            known.insert(tag.to_owned(), new.clone());
        }
        new
    };
    if !sentence.tokens.is_empty() {
        sentence.text.push(' ');
    }
    let start = sentence.text.len();
    sentence.text.push_str(token);
    let span = Span::new(start, sentence.text.len()).map_err(|_| Fault::at(line, ReadErrorKind::EmptyToken))?;
    sentence.tokens.push(span);
    sentence.tags.push(tag);
    sentence.lines.push(line);
    Ok(())
}
