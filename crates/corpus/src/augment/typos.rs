//! Words as they are mistyped.

use schema::Document;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{draws::Draws, words::words};
use crate::prepare::Change;

/// Characters of the shortest word that is mistyped: in a shorter one, half of it is another word.
const SHORTEST: usize = 4;
/// Rows of a keyboard; neighbours in a row are hit for each other.
const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Each word of letters, in entities and outside, gets by a probability one typing error behind its first character:
/// two characters exchanged, one left out, one twice, or a neighbour on the keyboard in its place.
pub(super) fn changes(document: &Document, rate: f64, draws: &mut Draws) -> Vec<Change> {
    let mut changes = Vec::new();
    for word in words(document) {
        let quote = word.span.quote(document.text());
        let characters: Vec<&str> = quote.graphemes(true).collect();
        if characters.len() < SHORTEST || !characters.iter().all(|one| one.starts_with(char::is_alphabetic)) {
            continue;
        }
        if draws.happens(rate) {
            changes.push((word.span.range(), mistyped(&characters, draws)));
        }
    }
    changes
}

fn mistyped(characters: &[&str], draws: &mut Draws) -> String {
    let at = 1 + draws.below(characters.len() - 1);
    let mut typed: Vec<String> = characters.iter().map(|&character| character.to_owned()).collect();
    match draws.below(4) {
        0 => typed.swap(at.min(characters.len() - 2), at.min(characters.len() - 2) + 1),
        1 => drop(typed.remove(at)),
        2 => typed.insert(at, characters[at].to_owned()),
        _ => match neighbour(characters[at], draws) {
            Some(key) => typed[at] = key,
            None => typed.insert(at, characters[at].to_owned()),
        },
    }
    typed.concat()
}

/// The key left or right of a character's; `None` where the keyboard has none for it.
fn neighbour(character: &str, draws: &mut Draws) -> Option<String> {
    let lower = character.to_lowercase();
    let row = KEYS.iter().find(|row| row.contains(&lower))?;
    let at = row.find(&lower)?;
    let beside: Vec<&str> =
        [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| row.get(at..=at)).collect();
    let key = draws.one_of(&beside)?;
    Some(if lower == character { (*key).to_owned() } else { key.to_uppercase() })
}
