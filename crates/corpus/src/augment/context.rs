//! Words replaced by those that stand in the same context elsewhere.

use std::collections::{HashMap, HashSet};

use schema::Document;

use super::{
    draws::Draws,
    known::Known,
    words::{Word, words},
};
use crate::prepare::Change;

/// Draws from the words of a context until a word stays as it is.
const TRIES: usize = 8;

/// Each word outside of entities becomes, by a probability, one that stands between the same neighbours elsewhere, or
/// else behind or before the same neighbour. A neighbour inside of an entity is the entity's label, so that what is said
/// of one person is said of another.
///
/// Only words in lower case (or of a script without case) are replaced, by such that are about as frequent: function
/// words, which tell where an entity is, stay, and so do names.
pub(super) fn changes(document: &Document, known: &Known<'_>, rate: f64, draws: &mut Draws) -> Vec<Change> {
    let words = words(document);
    let contexts = &known.contexts;
    let mut changes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(number) = contexts.replaceable(document, word) else { continue };
        if draws.happens(rate)
            && let Some(other) = contexts.draw(number, &neighbours(document, &words, at), draws)
        {
            changes.push((word.span.range(), other.to_owned()));
        }
    }
    changes
}

/// Which words stand where, outside of entities.
#[derive(Default)]
pub(super) struct Contexts {
    /// Words that may be replaced or stand in for others, by their number.
    words: Vec<String>,
    numbers: HashMap<String, usize>,
    /// How often each word occurs, as the logarithm to base 2.
    classes: Vec<u32>,
    /// The words of a context, each once.
    at: HashMap<Context, Vec<usize>>,
}

/// Neighbours of a word.
#[derive(PartialEq, Eq, Hash, Clone)]
enum Context {
    Between(String, String),
    Behind(String),
    Before(String),
}

impl Contexts {
    /// The contexts of texts with their words; `is_name` says which words never stand in for others.
    pub fn of<'d>(texts: impl Iterator<Item = (&'d Document, Vec<Word>)>, is_name: impl Fn(&str) -> bool) -> Self {
        let mut contexts = Self::default();
        let (mut counts, mut places, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for (document, words) in texts {
            for (at, word) in words.iter().enumerate() {
                let quote = word.span.quote(document.text());
                if word.entity.is_some() || !is_plain(quote) {
                    continue;
                }
                let number = *contexts.numbers.entry(quote.to_owned()).or_insert_with(|| {
                    contexts.words.push(quote.to_owned());
                    counts.push(0_usize);
                    counts.len() - 1
                });
                counts[number] += 1;
                places.extend(neighbours(document, &words, at).map(|context| (context, number)));
            }
        }
        let common = common(&counts);
        contexts.classes = counts.iter().map(|count| count.ilog2()).collect();
        let fits: Vec<bool> =
            contexts.words.iter().enumerate().map(|(number, word)| !common[number] && !is_name(word)).collect();
        for (context, number) in places {
            if fits[number] && seen.insert((context.clone(), number)) {
                contexts.at.entry(context).or_default().push(number);
            }
        }
        contexts.numbers.retain(|_, number| fits[*number]);
        contexts
    }

    /// The number of a word that may be replaced.
    fn replaceable(&self, document: &Document, word: &Word) -> Option<usize> {
        let quote = word.span.quote(document.text());
        (word.entity.is_none()).then(|| self.numbers.get(quote).copied()).flatten()
    }

    /// Another word of one of these contexts, the first one first.
    fn draw(&self, number: usize, contexts: &[Context; 3], draws: &mut Draws) -> Option<&str> {
        let is_alike = |other: &&usize| **other != number && self.classes[**other].abs_diff(self.classes[number]) <= 1;
        contexts.iter().find_map(|context| {
            let words = self.at.get(context)?;
            let other = (0..TRIES).find_map(|_| draws.one_of(words).filter(is_alike))?;
            Some(self.words[*other].as_str())
        })
    }
}

/// The contexts of a word.
fn neighbours(document: &Document, words: &[Word], at: usize) -> [Context; 3] {
    let name = |at: Option<usize>| match at.and_then(|at| words.get(at)) {
        None => String::new(),
        Some(word) => match word.entity {
            // No word begins with a space.
            Some(entity) => format!(" {}", document.entities()[entity].label),
            None => word.span.quote(document.text()).to_lowercase(),
        },
    };
    let (left, right) = (name(at.checked_sub(1)), name(Some(at + 1)));
    [Context::Between(left.clone(), right.clone()), Context::Behind(left), Context::Before(right)]
}

/// A word of at least two letters, without a capital.
fn is_plain(word: &str) -> bool {
    let is_letter = |character: char| character.is_alphabetic() || matches!(character, '-' | '\'' | '’');
    word.chars().nth(1).is_some()
        && word.starts_with(char::is_alphabetic)
        && word.chars().all(|character| is_letter(character) && !character.is_uppercase())
}

/// Which words are the most frequent that make up half of a text: in every language, mostly function words.
fn common(counts: &[usize]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|number| std::cmp::Reverse(counts[*number]));
    let half = counts.iter().sum::<usize>() / 2;
    let (mut common, mut sum) = (vec![false; counts.len()], 0);
    for number in order {
        // What occurs once is a function word in no text.
        if sum >= half || counts[number] < 2 {
            break;
        }
        common[number] = true;
        sum += counts[number];
    }
    common
}
