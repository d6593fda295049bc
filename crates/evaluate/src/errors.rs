//! The errors worth reading, in their text.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use schema::{
    Document, Entity, Label, Span,
    offset::{Offsets, Unit},
};
use serde::Serialize;

use crate::{
    Judged, Mention,
    matching::{Matching, Side},
};

/// How a prediction and the gold differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Right span, wrong label.
    WrongLabel,
    /// Right label, a span that overlaps the gold one.
    WrongBoundary,
    /// Another label on a span that overlaps the gold one.
    WrongLabelAndBoundary,
    /// A prediction where the gold has nothing left to compare with.
    Spurious,
    /// A gold entity for which nothing was predicted.
    Missed,
}

/// One error and the text around it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorCase {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Position of the document among those that were judged.
    pub document: usize,
    /// Name of the document in its source, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What should have been found; `None` for a spurious prediction.
    pub gold: Option<Mention>,
    /// What was found; `None` for a missed entity.
    pub predicted: Option<Mention>,
    /// The part of the document that [`ErrorCase::excerpt`] shows, in bytes; both mentions lie inside.
    #[serde(skip)]
    pub context: Span,
    /// First code point of the excerpt.
    pub excerpt_start: usize,
    /// The mentions with the text around them.
    pub excerpt: String,
}

/// How many errors of each kind there are, and the most telling of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Errors {
    /// Every error is counted, once.
    pub counts: BTreeMap<ErrorKind, usize>,
    /// The most telling errors, at most a given number of each kind. Wrong predictions with a score come first,
    /// the surest first; then the labels with more gold entities; then the order of the documents.
    pub worst: Vec<ErrorCase>,
}

/// An error before its text is looked up.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    kind: ErrorKind,
    document: usize,
    gold: Option<&'a Entity>,
    predicted: Option<&'a Entity>,
}

impl Errors {
    /// The errors in `texts`, which were judged from `documents` in the same order. `worst` limits the list for
    /// each kind, `context` is how many characters are shown on either side.
    ///
    /// # Panics
    /// There are more texts than documents, or an entity's span was made for another text.
    pub fn of(documents: &[&Document], texts: &[Judged<'_>], worst: usize, context: usize) -> Self {
        let mut support: HashMap<&Label, usize> = HashMap::new();
        let mut found: Vec<Found<'_>> = Vec::new();
        for (document, text) in texts.iter().enumerate() {
            text.gold.iter().for_each(|entity| *support.entry(&entity.label).or_default() += 1);
            find(document, &text.gold, &text.predicted, &mut found);
        }
        let frequency = |entity: Option<&Entity>| entity.and_then(|entity| support.get(&entity.label)).copied();
        found.sort_by(|a, b| {
            let score = |error: &Found<'_>| error.predicted.and_then(|entity| entity.score).unwrap_or(-1.0);
            let weight = |error: &Found<'_>| Reverse(frequency(error.gold.or(error.predicted)));
            score(b).total_cmp(&score(a)).then_with(|| weight(a).cmp(&weight(b)))
        });
        let mut errors = Self::default();
        for error in found {
            let count = errors.counts.entry(error.kind).or_default();
            *count += 1;
            if *count <= worst {
                errors.worst.push(error.in_text(documents[error.document], context));
            }
        }
        errors
    }
}

/// Adds the errors of one text; every entity that is not a strict match stands in exactly one of them.
fn find<'a>(document: usize, gold: &'a [Entity], predicted: &'a [Entity], errors: &mut Vec<Found<'a>>) {
    let mut matching = Matching::new(gold, predicted);
    matching.take_equal(|entity| (entity.span, Some(&entity.label)));
    matching.pairs.clear();
    let start = errors.len();
    let mut note = |kind, matching: &mut Matching<'a>| {
        errors.extend(matching.pairs.drain(..).map(|(g, p)| Found {
            kind,
            document,
            gold: Some(&gold[g]),
            predicted: Some(&predicted[p]),
        }));
    };
    matching.take_equal(|entity| (entity.span, None));
    note(ErrorKind::WrongLabel, &mut matching);
    matching.take_overlapping(|a, b| a.label == b.label);
    note(ErrorKind::WrongBoundary, &mut matching);
    matching.take_overlapping(|_, _| true);
    note(ErrorKind::WrongLabelAndBoundary, &mut matching);
    errors.extend(matching.free(Side::Gold).map(|g| Found {
        kind: ErrorKind::Missed,
        document,
        gold: Some(&gold[g]),
        predicted: None,
    }));
    errors.extend(matching.free(Side::Predicted).map(|p| Found {
        kind: ErrorKind::Spurious,
        document,
        gold: None,
        predicted: Some(&predicted[p]),
    }));
    errors[start..].sort_by_key(|error| error.gold.or(error.predicted).map(|entity| entity.span));
}

impl Found<'_> {
    fn in_text(self, document: &Document, around: usize) -> ErrorCase {
        let text = document.text();
        let offsets = Offsets::new(text, Unit::CodePoints);
        let mention = |entity: Option<&Entity>| entity.map(|entity| Mention::with(&offsets, text, entity));
        let mentioned = match (self.gold, self.predicted) {
            (Some(gold), Some(predicted)) => gold.span.join(predicted.span),
            (Some(one), None) | (None, Some(one)) => one.span,
            (None, None) => unreachable!("an error has an entity on one side at least"),
        };
        let context = widen(text, mentioned, around);
        ErrorCase {
            kind: self.kind,
            document: self.document,
            id: document.id.clone(),
            gold: mention(self.gold),
            predicted: mention(self.predicted),
            context,
            excerpt_start: offsets.from_byte(context.start()),
            excerpt: context.quote(text).to_owned(),
        }
    }
}

/// The span with up to `around` more characters on either side, and no part of a word at the ends where there is another place
/// to end.
fn widen(text: &str, span: Span, around: usize) -> Span {
    let before = text[..span.start()].char_indices().rev().take(around).last();
    let mut start = before.map_or(span.start(), |(byte, _)| byte);
    let after: usize = text[span.end()..].chars().take(around).map(char::len_utf8).sum();
    let mut end = span.end() + after;
    let is_inside = |at: usize| {
        let is_of_a_word = |found: Option<char>| found.is_some_and(|found| !found.is_whitespace());
        is_of_a_word(text[..at].chars().next_back()) && is_of_a_word(text[at..].chars().next())
    };
    if is_inside(start)
        && let Some(blank) = text[start..span.start()].find(char::is_whitespace)
    {
        start += text[start..span.start()].len() - text[start + blank..span.start()].trim_start().len();
    }
    if is_inside(end)
        && let Some(blank) = text[span.end()..end].rfind(char::is_whitespace)
    {
        end = span.end() + text[span.end()..span.end() + blank].trim_end().len();
    }
    Span::of(text, start..end).expect("a span stays a span when whole characters are added")
}
