//! A finding and the places that show it.

use schema::{Label, Span, offset::Offsets, offset::Unit};

use super::{Check, Data, Severity, Suggestion};

/// Something in the data that is wrong, or may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, in one sentence without a full stop.
    pub message: String,
    /// Where: the place to look at first, then those that it is compared with.
    pub places: Vec<Place>,
    /// What should stand there instead, where the check knows it.
    pub suggestion: Option<Suggestion>,
}

/// A place in the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Position of the file among those given.
    pub file: usize,
    /// The line, from 1, where the reader knows it.
    pub line: Option<usize>,
    /// Position of the document in its file, from 0; `None` where the file or a line is meant.
    pub document: Option<usize>,
    /// The part of the text that is meant; `None` for the whole.
    pub span: Option<Span>,
    /// The label that this part carries.
    pub label: Option<Label>,
}

/// The text around a place, cut at characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt<'d> {
    /// Whether text before it was left out.
    pub cut_before: bool,
    /// What stands before.
    pub before: &'d str,
    /// The part that is meant; empty where the whole text is.
    pub marked: &'d str,
    /// What stands behind.
    pub after: &'d str,
    /// Whether text behind it was left out.
    pub cut_after: bool,
}

/// Characters shown on either side of a span, and of a text without one.
const CONTEXT: usize = 40;
/// Longest span shown whole.
const MARKED: usize = 160;

impl Finding {
    pub(super) fn new(check: Check, message: String, places: Vec<Place>) -> Self {
        Self { check, severity: check.rule().severity, message, places, suggestion: None }
    }

    /// The same, less bad.
    pub(super) fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same, with what should stand there instead.
    pub(super) fn with_suggestion(self, suggestion: Suggestion) -> Self {
        Self { suggestion: Some(suggestion), ..self }
    }
}

impl Place {
    /// A file as a whole.
    pub(super) fn file(file: usize) -> Self {
        Self { file, line: None, document: None, span: None, label: None }
    }

    /// A line of a file that is no document.
    pub(super) fn line(file: usize, line: usize) -> Self {
        Self { line: (line > 0).then_some(line), ..Self::file(file) }
    }

    /// Start and end of the span in code points.
    pub fn code_points(&self, data: &Data<'_>) -> Option<(usize, usize)> {
        let text = data.files.get(self.file)?.documents.get(self.document?)?.text();
        Some(Offsets::new(text, Unit::CodePoints).of(self.span?))
    }

    /// The text around the place.
    pub fn excerpt<'d>(&self, data: &Data<'d>) -> Option<Excerpt<'d>> {
        let text = data.files.get(self.file)?.documents.get(self.document?)?.text();
        let Some(span) = self.span else {
            let end = ahead(text, 0, 2 * CONTEXT);
            return Some(Excerpt {
                cut_before: false,
                before: "",
                marked: "",
                after: &text[..end],
                cut_after: end < text.len(),
            });
        };
        let start = text[..span.start()].char_indices().rev().nth(CONTEXT - 1).map_or(0, |(at, _)| at);
        let marked_end = ahead(text, span.start(), MARKED).min(span.end());
        let end = if marked_end < span.end() { marked_end } else { ahead(text, span.end(), CONTEXT) };
        Some(Excerpt {
            cut_before: start > 0,
            before: &text[start..span.start()],
            marked: &text[span.start()..marked_end],
            after: &text[marked_end..end],
            cut_after: end < text.len(),
        })
    }
}

/// `once`, `2 times`.
pub(super) fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// The byte `count` characters behind `from`, or the end.
fn ahead(text: &str, from: usize, count: usize) -> usize {
    text[from..].char_indices().nth(count).map_or(text.len(), |(at, _)| from + at)
}
