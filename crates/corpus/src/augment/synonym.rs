//! Words replaced by synonyms ("synonym replacement", Dai and Adel, 2020).

use schema::Document;

use super::{Thesaurus, draws::Draws, known::Known, words::words};
use crate::prepare::Change;

/// Each word outside of entities that has synonyms becomes, by a probability, one of them. Dai and Adel replace
/// words of mentions too; in a domain a synonym of a part of a name is seldom a name.
pub(super) fn changes(
    document: &Document,
    known: &Known<'_>,
    thesaurus: &Thesaurus,
    rate: f64,
    draws: &mut Draws,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for word in words(document).into_iter().filter(|word| word.entity.is_none()) {
        let quote = word.span.quote(document.text());
        let synonyms = thesaurus.of(quote);
        if synonyms.is_empty() || !draws.happens(rate) {
            continue;
        }
        if let Some(synonym) = draws.one_of(synonyms).filter(|synonym| !known.is_of_mention(synonym)) {
            changes.push((word.span.range(), in_case_of(quote, synonym)));
        }
    }
    changes
}

/// The synonym in capitals where the word is, or with a capital at its beginning where the word has one.
fn in_case_of(word: &str, synonym: &str) -> String {
    let mut letters = word.chars().filter(|character| character.is_alphabetic());
    let first_is_capital = letters.next().is_some_and(char::is_uppercase);
    let all_are_capitals = letters.clone().next().is_some() && letters.all(char::is_uppercase);
    let mut rest = synonym.chars();
    match rest.next() {
        Some(_) if first_is_capital && all_are_capitals => synonym.to_uppercase(),
        Some(first) if first_is_capital => first.to_uppercase().chain(rest).collect(),
        _ => synonym.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_case_of;

    #[test]
    fn a_synonym_takes_the_case_of_the_word() {
        assert_eq!(
            ["big", "Big", "BIG", "B"].map(|word| in_case_of(word, "large")),
            ["large", "Large", "LARGE", "Large"]
        );
        assert_eq!(in_case_of("big", "New York"), "New York");
    }
}
