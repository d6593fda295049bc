//! All places at which a quote may stand.

use schema::Span;

use super::{Ground, Quote, distance, folded::fold};
use crate::suggest::Grounding;

/// A place at which a quote may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) span: Span,
    pub(super) status: Grounding,
    pub(super) edits: u32,
    /// What is won when the quote stands here: much for standing anywhere, less where it fits badly, more where the words
    /// before are those that the source saw.
    pub(super) gain: i64,
}

/// What standing anywhere is worth; all that a place can lose or win beside it is less.
const STANDS: i64 = 10_000;
const FOLDED: i64 = 400;
/// An end inside a word.
const INSIDE: i64 = 600;
const FUZZY: i64 = 1_000;
const EDIT: i64 = 300;
/// A word before that is as the source saw it.
const WORD_BEFORE: i64 = 100;
/// So many words before are compared.
const WORDS_BEFORE: usize = 5;
/// A quote shorter than this never stands amid a word with letters on both sides.
const AMID: usize = 4;
/// So many bytes before a place are looked at for the words before.
const NEARBY: usize = 200;
/// A quote longer than this is only looked for word for word and folded.
const LONGEST_FUZZY: usize = 400;
/// Most letters that may differ.
const MOST_EDITS: usize = 6;

/// Every place of a quote, in the order of the text.
pub(super) fn of(ground: &Ground<'_>, quote: &Quote) -> Vec<Place> {
    let words = quote.text.trim();
    if words.is_empty() {
        return Vec::new();
    }
    let mut places = exact(ground, words);
    let letters = fold(words);
    folded(ground, &letters, &mut places);
    if places.is_empty() {
        fuzzy(ground, &letters, &mut places);
    }
    places.sort_by_key(|place| place.span);
    if places.len() > 1 && !quote.before.trim().is_empty() {
        let before = last_words(&quote.before);
        for place in &mut places {
            place.gain += won_by_words(ground.text, place.span.start(), &before);
        }
    }
    places
}

fn exact(ground: &Ground<'_>, words: &str) -> Vec<Place> {
    let text = ground.text;
    let amid_allowed = words.chars().nth(AMID - 1).is_some();
    let step = words.chars().next().map_or(1, char::len_utf8);
    let mut places = Vec::new();
    let mut from = 0;
    // Occurrences may overlap each other.
    while let Some(found) = text[from..].find(words) {
        let (start, end) = (from + found, from + found + words.len());
        from = start + step;
        if !(ground.character_edges[start] && ground.character_edges[end]) {
            continue;
        }
        let inside: i64 = [start, end].into_iter().map(|edge| i64::from(!ground.word_edges[edge])).sum();
        if inside == 2 && !amid_allowed {
            continue;
        }
        if let Ok(span) = Span::of(text, start..end) {
            let gain = STANDS - INSIDE * inside;
            places.push(Place { span, status: Grounding::Exact, edits: 0, gain });
        }
    }
    places
}

/// Places that fold to the quote's letters and are whole words.
fn folded(ground: &Ground<'_>, letters: &[char], places: &mut Vec<Place>) {
    let known = places.len();
    if letters.is_empty() {
        return;
    }
    for (at, window) in ground.folded.letters.windows(letters.len()).enumerate() {
        if window != letters {
            continue;
        }
        let Some(span) = whole_words(ground, at, at + letters.len()) else { continue };
        if places[..known].iter().all(|place| place.span != span) {
            places.push(Place { span, status: Grounding::Folded, edits: 0, gain: STANDS - FOLDED });
        }
    }
}

/// Runs of whole words whose letters are nearly the quote's; of all of them those that differ least.
fn fuzzy(ground: &Ground<'_>, letters: &[char], places: &mut Vec<Place>) {
    let mut bound = (letters.len() / 5).min(MOST_EDITS);
    if bound == 0 || letters.len() > LONGEST_FUZZY {
        return;
    }
    let text = &ground.folded.letters;
    let is_start =
        |at: &usize| text[*at] != ' ' && ground.folded.start(*at).is_some_and(|byte| ground.word_edges[byte]);
    let is_end =
        |at: &usize| text[*at - 1] != ' ' && ground.folded.end(*at).is_some_and(|byte| ground.word_edges[byte]);
    let mut nearest: Vec<(usize, usize, usize)> = Vec::new();
    for start in (0..text.len()).filter(is_start) {
        let last = (start + letters.len() + bound).min(text.len());
        for end in ((start + letters.len() - bound)..=last).filter(is_end) {
            let Some(edits) = distance::within(letters, &text[start..end], bound) else { continue };
            if edits < bound || nearest.is_empty() {
                nearest.retain(|(_, _, known)| *known <= edits);
            }
            bound = edits;
            nearest.push((start, end, edits));
        }
    }
    for (start, end, edits) in nearest {
        if let Some(span) = whole_words(ground, start, end) {
            let edits = edits as u32;
            let gain = STANDS - FUZZY - EDIT * i64::from(edits);
            places.push(Place { span, status: Grounding::Fuzzy, edits, gain });
        }
    }
}

/// The span of folded letters, where its ends are those of words.
fn whole_words(ground: &Ground<'_>, from: usize, to: usize) -> Option<Span> {
    let (start, end) = (ground.folded.start(from)?, ground.folded.end(to)?);
    let whole = ground.word_edges[start] && ground.word_edges[end];
    Span::of(ground.text, start..end).ok().filter(|_| whole)
}

/// The last words of a text, the last first, folded and without marks.
fn last_words(text: &str) -> Vec<String> {
    let bare = |word: &str| word.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
    let folded: String = fold(text).into_iter().collect();
    folded.split(' ').rev().map(bare).filter(|word| !word.is_empty()).take(WORDS_BEFORE).collect()
}

/// What is won by the words before a place.
fn won_by_words(text: &str, start: usize, before: &[String]) -> i64 {
    let mut from = start.saturating_sub(NEARBY);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let here = last_words(&text[from..start]);
    before.iter().zip(&here).take_while(|(a, b)| a == b).map(|_| WORD_BEFORE).sum()
}
