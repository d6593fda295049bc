//! Quotes and where they stand in a text.
//!
//! Language models quote well and count badly, so they are asked for quotes in reading order and never for offsets.
//! Here each quote gets its places: word for word, else folded (case, white space, compatibility forms, typographic
//! marks), else within a few letters. Which of several places is meant is decided by the order of all quotes
//! together, by the words that the source saw before the quote, and by what is left when the others have their
//! places. Where neither decides, the quote stays [`Grounding::Ambiguous`]; where there is no place, it stays
//! [`Grounding::Ungrounded`].
//!
//! A span never cuts a character as a reader sees it (UAX 29, extended grapheme clusters), and one at the boundaries
//! of words is preferred to one inside a word.

mod distance;
mod folded;
mod order;
mod places;

use std::collections::HashSet;

use schema::{Label, Span};

use self::{folded::Folded, places::Place};
use super::Grounding;

pub(crate) use self::{distance::within, folded::fold};

/// A quote of a text, as a source gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The words.
    pub text: String,
    /// What they are said to be.
    pub label: Label,
    /// The words that are said to stand before; empty where the source does not say.
    pub before: String,
}

/// What became of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grounded {
    /// Where it stands. Of an ambiguous quote the first place that would do; `None` where it stands nowhere.
    pub span: Option<Span>,
    /// How it was found.
    pub status: Grounding,
    /// Letters that differ, for [`Grounding::Fuzzy`]; else 0.
    pub edits: u32,
}

impl Grounded {
    const NOWHERE: Self = Self { span: None, status: Grounding::Ungrounded, edits: 0 };

    fn at(place: &Place, decided: bool) -> Self {
        let status = if decided { place.status } else { Grounding::Ambiguous };
        Self { span: Some(place.span), status, edits: place.edits }
    }
}

/// A text that quotes are looked up in.
#[derive(Debug)]
pub struct Ground<'t> {
    text: &'t str,
    folded: Folded,
    /// For every byte, and the end, whether a word or a white space begins or ends there.
    word_edges: Vec<bool>,
    /// For every byte, and the end, whether a character as a reader sees it begins or ends there.
    character_edges: Vec<bool>,
}

impl<'t> Ground<'t> {
    /// Prepares a text, in one pass.
    pub fn new(text: &'t str) -> Self {
        use unicode_segmentation::UnicodeSegmentation as _;
        let edges = |starts: &mut dyn Iterator<Item = usize>| {
            let mut edges = vec![false; text.len() + 1];
            starts.for_each(|start| edges[start] = true);
            edges[text.len()] = true;
            edges
        };
        let word_edges = edges(&mut text.split_word_bound_indices().map(|(start, _)| start));
        let character_edges = edges(&mut text.grapheme_indices(true).map(|(start, _)| start));
        Self { text, folded: Folded::new(text), word_edges, character_edges }
    }

    /// Where the quotes stand, in their order, which is taken for the order of reading as far as the text allows.
    ///
    /// A quote that is given more often than it stands in the text is ungrounded for the times that are left over.
    pub fn align(&self, quotes: &[Quote]) -> Vec<Grounded> {
        let places: Vec<Vec<Place>> = quotes.iter().map(|quote| places::of(self, quote)).collect();
        let ordered = order::choose(&places);
        let chosen = |at: usize| ordered[at].map(|(place, decided)| (&places[at][place], decided));
        let mut taken: HashSet<(Span, &Label)> =
            (0..quotes.len()).filter_map(|at| Some((chosen(at)?.0.span, &quotes[at].label))).collect();
        let grounded: Vec<Option<Grounded>> = (0..quotes.len())
            .map(|at| {
                let (place, decided) = chosen(at)?;
                // Where the same quote has all places that there are, each of them has one.
                let all = || places[at].iter().all(|place| taken.contains(&(place.span, &quotes[at].label)));
                Some(Grounded::at(place, decided || all()))
            })
            .collect();
        // What does not fit the order has what the others left.
        let rest = grounded.into_iter().enumerate().map(|(at, known)| {
            known.unwrap_or_else(|| {
                let free = || places[at].iter().filter(|place| !taken.contains(&(place.span, &quotes[at].label)));
                let most = free().map(|place| place.gain).max();
                let mut best = free().filter(|place| Some(place.gain) == most);
                let Some(place) = best.next() else { return Grounded::NOWHERE };
                let decided = best.next().is_none();
                taken.insert((place.span, &quotes[at].label));
                Grounded::at(place, decided)
            })
        });
        rest.collect()
    }
}
