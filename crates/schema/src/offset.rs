//! Offset units and the one conversion between them.
//!
//! Python and most annotation tools count Unicode code points, JavaScript counts UTF-16 units, Rust and many
//! C programs count bytes. A file that does not say which can be proven by the texts that it quotes ([`prove`]).

use std::fmt;

use thiserror::Error;

use crate::{Span, SpanError};

/// What an offset counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// UTF-8 bytes.
    Bytes,
    /// Unicode scalar values, as Python's `str` counts.
    CodePoints,
    /// UTF-16 code units, as JavaScript and Java count.
    Utf16,
}

impl Unit {
    /// Every unit, the one of Nomen's file edges first.
    pub const ALL: [Self; 3] = [Self::CodePoints, Self::Utf16, Self::Bytes];
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bytes => "UTF-8 bytes",
            Self::CodePoints => "Unicode code points",
            Self::Utf16 => "UTF-16 units",
        })
    }
}

/// Converts offsets of one text between one unit and UTF-8 bytes.
///
/// Built in one pass over the text; texts of plain ASCII need no table.
#[derive(Debug)]
pub struct Offsets<'t> {
    text: &'t str,
    /// Byte at which unit `i` starts, and the text's length last. The second half of a surrogate pair holds
    /// the byte after its character's start, which is never a character boundary.
    starts: Option<Vec<u32>>,
}

impl<'t> Offsets<'t> {
    /// The conversion between `unit` and bytes for `text`.
    pub fn new(text: &'t str, unit: Unit) -> Self {
        if unit == Unit::Bytes || text.is_ascii() {
            return Self { text, starts: None };
        }
        let mut starts = Vec::with_capacity(text.len() + 1);
        for (byte, character) in text.char_indices() {
            starts.push(byte as u32);
            if unit == Unit::Utf16 && character.len_utf16() == 2 {
                starts.push(byte as u32 + 1);
            }
        }
        starts.push(text.len() as u32);
        Self { text, starts: Some(starts) }
    }

    /// Length of the text in this unit.
    pub fn len(&self) -> usize {
        self.starts.as_ref().map_or(self.text.len(), |starts| starts.len() - 1)
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The byte that an offset stands for.
    ///
    /// # Errors
    /// The offset lies past the end of the text or inside a character.
    pub fn to_byte(&self, offset: usize) -> Result<usize, SpanError> {
        if offset > self.len() {
            return Err(SpanError::PastEnd { end: offset, len: self.len() });
        }
        let byte = self.starts.as_ref().map_or(offset, |starts| starts[offset] as usize);
        if self.text.is_char_boundary(byte) { Ok(byte) } else { Err(SpanError::InsideCharacter(offset)) }
    }

    /// The offset that a byte stands for; a byte inside a character counts as that character's start.
    pub fn from_byte(&self, byte: usize) -> usize {
        match &self.starts {
            None => byte.min(self.text.len()),
            Some(starts) => starts.binary_search(&(byte as u32)).unwrap_or_else(|after| after.saturating_sub(1)),
        }
    }

    /// The span between two offsets.
    ///
    /// # Errors
    /// The range is empty or reversed, ends past the text, or cuts a character.
    pub fn span(&self, start: usize, end: usize) -> Result<Span, SpanError> {
        if start > end {
            return Err(SpanError::Reversed { start, end });
        }
        if start == end {
            return Err(SpanError::Empty(start));
        }
        Span::of(self.text, self.to_byte(start)?..self.to_byte(end)?)
    }

    /// Start and end of a span in this unit.
    pub fn of(&self, span: Span) -> (usize, usize) {
        (self.from_byte(span.start()), self.from_byte(span.end()))
    }
}

/// A mention as a file states it: two offsets in an unproven unit, and the text that it quotes, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'q> {
    /// Where it is said to start.
    pub start: usize,
    /// Where it is said to end.
    pub end: usize,
    /// What it is said to cover.
    pub quote: Option<&'q str>,
}

/// Why no unit could be proven.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitError {
    /// No unit makes every claim a span that covers its quote.
    #[error(
        "offsets {start}..{end} do not cover {quote:?} in code points, UTF-16 units or bytes; correct the offsets or the quoted text"
    )]
    Refuted {
        /// Start of the first claim that fits no unit (or not the unit of the others).
        start: usize,
        /// Its end.
        end: usize,
        /// Its quote.
        quote: String,
    },
    /// No unit makes every claim a span of the text, and nothing is quoted.
    #[error("offsets {start}..{end}: {error}")]
    Outside {
        /// Start of the first claim that is no span.
        start: usize,
        /// Its end.
        end: usize,
        /// What is wrong with it in the unit that was expected.
        error: SpanError,
    },
    /// Two units fit and give different spans.
    #[error(
        "the offsets could count {0} or {1} and mean different spans; add the quoted text, or say which (`nomen convert --offsets`)"
    )]
    Ambiguous(Unit, Unit),
}

/// The unit in which every claim is a span of `text` that covers its quote.
///
/// `declared` is what the format promises: it wins when it fits. Where the quotes refute it, or nothing is
/// promised, another unit is taken only if it is the single one that fits (units that give the same spans, as
/// in ASCII, count as one).
///
/// # Errors
/// No unit fits, or several do and differ.
pub fn prove(text: &str, declared: Option<Unit>, claims: &[Claim<'_>]) -> Result<Unit, UnitError> {
    if let Some(unit) = declared
        && spans(text, unit, claims).is_some()
    {
        return Ok(unit);
    }
    // Without a quote an undeclared unit cannot be proven, only guessed; a declared one is then refuted.
    let quoted = claims.iter().any(|claim| claim.quote.is_some());
    match declared {
        Some(unit) if !quoted => Err(first_misfit(text, unit, claims)),
        _ => prove_among(text, &Unit::ALL, claims),
    }
}

/// The single unit of `candidates` in which every claim is a span of `text` that covers its quote; units that give the
/// same spans, as in ASCII, count as one, and the first of them is taken.
///
/// # Errors
/// No candidate fits, or several do and differ.
pub fn prove_among(text: &str, candidates: &[Unit], claims: &[Claim<'_>]) -> Result<Unit, UnitError> {
    let mut fitting: Vec<(Unit, Vec<Span>)> = Vec::new();
    for unit in candidates {
        if let Some(found) = spans(text, *unit, claims)
            && fitting.iter().all(|(_, known)| *known != found)
        {
            fitting.push((*unit, found));
        }
    }
    match fitting.as_slice() {
        [(unit, _)] => Ok(*unit),
        [(first, _), (second, _), ..] => Err(UnitError::Ambiguous(*first, *second)),
        [] => Err(first_misfit(text, candidates.first().copied().unwrap_or(Unit::CodePoints), claims)),
    }
}

/// The spans that the claims are in one unit; `None` where one is no span, or does not cover its quote.
fn spans(text: &str, unit: Unit, claims: &[Claim<'_>]) -> Option<Vec<Span>> {
    let offsets = Offsets::new(text, unit);
    let span = |claim: &Claim<'_>| {
        let span = offsets.span(claim.start, claim.end).ok()?;
        claim.quote.is_none_or(|quote| quote == span.quote(text)).then_some(span)
    };
    claims.iter().map(span).collect()
}

/// The claim to show a user when no unit fits all of them.
fn first_misfit(text: &str, unit: Unit, claims: &[Claim<'_>]) -> UnitError {
    let offsets = Offsets::new(text, unit);
    let mut misfit = UnitError::Outside { start: 0, end: 0, error: SpanError::Empty(0) };
    for &Claim { start, end, quote } in claims {
        misfit = match (offsets.span(start, end), quote) {
            (Ok(span), quote) if quote.is_none_or(|quote| span.quote(text) == quote) => continue,
            (Err(error), None) => UnitError::Outside { start, end, error },
            (_, quote) => UnitError::Refuted { start, end, quote: quote.unwrap_or_default().to_owned() },
        };
        break;
    }
    misfit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that every unit counts differently: joined emoji, combining marks, CRLF, plain words.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["a", "é", "e\u{301}", "👩‍🔬", "🇩🇰", "漢", "\r\n", " ", "word"]);
        prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]
        #[test]
        fn every_span_survives_the_way_out_and_back_in_every_unit(text in texts(), a in 0usize..60, b in 0usize..60) {
            let bounds: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
            let (a, b) = (bounds[a % bounds.len()], bounds[b % bounds.len()]);
            prop_assume!(a != b);
            let span = Span::of(&text, a.min(b)..a.max(b)).unwrap();
            for unit in Unit::ALL {
                let offsets = Offsets::new(&text, unit);
                let (start, end) = offsets.of(span);
                prop_assert_eq!(offsets.span(start, end), Ok(span));
                let claim = Claim { start, end, quote: Some(span.quote(&text)) };
                // Whatever unit is proven gives text that reads the same; a shift that shows is never accepted.
                if let Ok(proven) = prove(&text, None, &[claim]) {
                    prop_assert_eq!(Offsets::new(&text, proven).span(start, end).unwrap().quote(&text), span.quote(&text));
                }
            }
        }
    }

    #[test]
    fn a_surrogate_pair_cannot_be_cut() {
        let offsets = Offsets::new("a😀b", Unit::Utf16);
        assert_eq!(offsets.to_byte(2), Err(SpanError::InsideCharacter(2)));
        assert_eq!(offsets.to_byte(3), Ok(5));
        assert_eq!(offsets.to_byte(5), Err(SpanError::PastEnd { end: 5, len: 4 }));
    }

    #[test]
    fn the_quoted_text_proves_the_unit() {
        let text = "😀 Anna";
        let claim = |start, end, quote| Claim { start, end, quote };
        assert_eq!(prove(text, None, &[claim(2, 6, Some("Anna"))]), Ok(Unit::CodePoints));
        assert_eq!(prove(text, Some(Unit::CodePoints), &[claim(3, 7, Some("Anna"))]), Ok(Unit::Utf16));
        assert_eq!(prove(text, None, &[claim(5, 9, Some("Anna"))]), Ok(Unit::Bytes));
        assert!(matches!(prove(text, None, &[claim(2, 6, None)]), Err(UnitError::Ambiguous(..))));
        assert!(matches!(prove(text, None, &[claim(1, 5, Some("Anna"))]), Err(UnitError::Refuted { .. })));
        assert!(matches!(prove(text, Some(Unit::CodePoints), &[claim(3, 7, None)]), Err(UnitError::Outside { .. })));
        assert_eq!(prove("Anna", None, &[claim(0, 4, None)]), Ok(Unit::CodePoints));
    }
}
