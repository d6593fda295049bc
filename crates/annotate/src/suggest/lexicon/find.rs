//! Entries of a lexicon, found in a text.

use std::collections::HashMap;

use schema::{Label, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Entry, near::Near};
use crate::suggest::{Grounding, Origin, Suggestion, ground::fold};

/// Which letters have to be as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// Upper and lower case are the same, but entries of capitals alone (`US`, `IT`) are only found as they are written.
    #[default]
    Smart,
    /// Every entry is only found as it is written.
    Exact,
    /// Upper and lower case are the same.
    Folded,
}

/// How a lexicon is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LexiconOptions {
    /// Which letters have to be as they are written.
    pub case: Case,
    /// Find entries within a letter too (two from 10 letters on, none below 5).
    pub fuzzy: bool,
}

/// Entries, ready to be looked up.
#[derive(Debug)]
pub struct Lexicon {
    origin: Origin,
    fuzzy: bool,
    /// By the number of a word and the state before it, the state behind it; 0 is the state before every entry.
    steps: HashMap<(u32, u32), u32>,
    words: HashMap<Vec<char>, u32>,
    /// What ends in a state.
    ends: Vec<Vec<usize>>,
    entries: Vec<Known>,
    near: Near,
    /// Words of the longest entry that is looked up with other letters.
    longest: usize,
}

#[derive(Debug)]
struct Known {
    surface: String,
    labels: Vec<Label>,
    as_written: bool,
}

/// A word or mark of a text: its bytes and its folded letters.
struct Word {
    start: usize,
    end: usize,
    letters: Vec<char>,
}

/// An entry found at a word.
struct Found<'l> {
    /// The word behind it.
    next: usize,
    status: Grounding,
    edits: u32,
    entries: Vec<&'l Known>,
}

impl Lexicon {
    /// A lexicon of these entries.
    pub fn new(entries: Vec<Entry>, origin: Origin, options: LexiconOptions) -> Self {
        let mut lexicon = Self {
            origin,
            fuzzy: options.fuzzy,
            steps: HashMap::new(),
            words: HashMap::new(),
            ends: vec![Vec::new()],
            entries: Vec::new(),
            near: Near::default(),
            longest: 0,
        };
        let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
        for Entry { surface, label } in entries {
            let place = *places.entry(surface.clone()).or_insert_with(|| lexicon.insert(surface, options));
            if let Some(known) = lexicon.entries.get_mut(place)
                && !known.labels.contains(&label)
            {
                known.labels.push(label);
            }
        }
        lexicon
    }

    /// How many different names there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn insert(&mut self, surface: String, options: LexiconOptions) -> usize {
        let place = self.entries.len();
        let words = words(&surface);
        let mut state = 0;
        for word in &words {
            let next = self.words.len() as u32;
            let word = *self.words.entry(word.letters.clone()).or_insert(next);
            let next = self.ends.len() as u32;
            state = *self.steps.entry((state, word)).or_insert(next);
            if state == next {
                self.ends.push(Vec::new());
            }
        }
        if state > 0 {
            self.ends[state as usize].push(place);
        }
        let capitals = surface.chars().any(char::is_uppercase) && !surface.chars().any(char::is_lowercase);
        let as_written = match options.case {
            Case::Exact => true,
            Case::Smart => capitals,
            Case::Folded => false,
        };
        if options.fuzzy && !as_written {
            self.near.add(&fold(&surface), place);
            self.longest = self.longest.max(words.len());
        }
        self.entries.push(Known { surface, labels: Vec::new(), as_written });
        place
    }

    /// The entries of a text: at each word the longest, from left to right, without overlaps. A name with several labels
    /// is ambiguous and gives one suggestion for each.
    pub fn suggestions(&self, text: &str) -> Vec<Suggestion> {
        let words = words(text);
        let ids: Vec<Option<u32>> = words.iter().map(|word| self.words.get(&word.letters).copied()).collect();
        let mut suggestions = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let exact = self.longest_at(text, &words, &ids, at);
            let found = exact.or_else(|| self.nearest_at(text, &words, at));
            let Some(found) = found else {
                at += 1;
                continue;
            };
            if let Ok(span) = Span::of(text, words[at].start..words[found.next - 1].end) {
                self.suggest(text, span, &found, &mut suggestions);
            }
            at = found.next;
        }
        suggestions
    }

    fn suggest(&self, text: &str, span: Span, found: &Found<'_>, suggestions: &mut Vec<Suggestion>) {
        let mut labels: Vec<(&Label, &str)> = Vec::new();
        for entry in &found.entries {
            for label in &entry.labels {
                if labels.iter().all(|(known, _)| *known != label) {
                    labels.push((label, &entry.surface));
                }
            }
        }
        let several = labels.len() > 1;
        suggestions.extend(labels.into_iter().map(|(label, surface)| Suggestion {
            status: if several { Grounding::Ambiguous } else { found.status },
            quote: surface.to_owned(),
            edits: found.edits,
            ..Suggestion::exact(text, span, label.clone(), None, self.origin.clone())
        }));
    }

    /// The longest entry that begins with a word; of those that are equally long the one that is written so.
    fn longest_at(&self, text: &str, words: &[Word], ids: &[Option<u32>], at: usize) -> Option<Found<'_>> {
        let (mut state, mut longest) = (0, None);
        for (next, id) in ids.iter().enumerate().skip(at) {
            let Some(step) = id.and_then(|id| self.steps.get(&(state, id))) else { break };
            state = *step;
            let here = &text[words[at].start..words[next].end];
            let ending = || self.ends[state as usize].iter().map(|entry| &self.entries[*entry]);
            let written: Vec<&Known> = ending().filter(|entry| entry.surface == here).collect();
            let (status, entries) = if written.is_empty() {
                // What stands between the words has to be the same, too.
                let letters = || fold(here);
                let same = |entry: &&Known| !entry.as_written && fold(&entry.surface) == letters();
                (Grounding::Folded, ending().filter(same).collect())
            } else {
                (Grounding::Exact, written)
            };
            if !entries.is_empty() {
                longest = Some(Found { next: next + 1, status, edits: 0, entries });
            }
        }
        longest
    }

    /// The entry with the fewest other letters that begins with a word, the longest of these.
    fn nearest_at(&self, text: &str, words: &[Word], at: usize) -> Option<Found<'_>> {
        if !self.fuzzy {
            return None;
        }
        let mut nearest: Option<Found<'_>> = None;
        // A blank more or less makes a word more or less.
        let last = (at + self.longest + 1).min(words.len());
        for next in at + 1..=last {
            let letters = fold(&text[words[at].start..words[next - 1].end]);
            let Some((edits, entries)) = self.near.find(&letters) else { continue };
            let edits = edits as u32;
            // A name written in other letters than its entry's capitals allow is no misspelling of it.
            if edits > 0 && nearest.as_ref().is_none_or(|known| edits <= known.edits) {
                let entries = entries.into_iter().map(|entry| &self.entries[entry]).collect();
                nearest = Some(Found { next, status: Grounding::Fuzzy, edits, entries });
            }
        }
        nearest
    }
}

/// The words and marks of a text.
fn words(text: &str) -> Vec<Word> {
    let parts = text.split_word_bound_indices().filter(|(_, part)| !part.trim().is_empty());
    parts.map(|(start, part)| Word { start, end: start + part.len(), letters: fold(part) }).collect()
}
