//! Lower case.

use super::Mapped;

/// The text in lower case, by Unicode's full mapping; a sigma at the end of a word becomes `ς`.
pub fn lower(text: &str) -> Mapped {
    let upper = text.char_indices().filter(|(_, character)| !character.is_lowercase());
    let changes = upper.map(|(at, character)| {
        let end = at + character.len_utf8();
        let lower =
            if character == 'Σ' && is_final(text, at, end) { "ς".into() } else { character.to_lowercase().collect() };
        (at..end, lower)
    });
    Mapped::new(text, changes)
}

/// Whether a letter stands in front of the character and none behind it.
fn is_final(text: &str, start: usize, end: usize) -> bool {
    text[..start].chars().next_back().is_some_and(char::is_alphabetic)
        && !text[end..].chars().next().is_some_and(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_grow_and_final_sigmas_are_mapped() {
        assert_eq!(lower("ÆRØ İzmir ΟΔΟΣ Σ STRASSE").text(), "ærø i\u{307}zmir οδος σ strasse");
        assert_eq!(lower("ærø 1").changes(), 0);
    }
}
