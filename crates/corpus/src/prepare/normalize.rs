//! Unicode normalization.

use std::fmt;

use unicode_normalization::{
    IsNormalized, UnicodeNormalization as _,
    char::{canonical_combining_class, decompose_canonical, decompose_compatible},
    is_nfc_quick,
};

use super::Mapped;

/// A normalization form of Unicode Standard Annex 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Composed: a letter and its accent are one character where Unicode has one.
    Nfc,
    /// Composed, and compatibility characters (ligatures, full-width letters, `½`) replaced by plain ones.
    Nfkc,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nfc => "NFC",
            Self::Nfkc => "NFKC",
        })
    }
}

/// The text in a normalization form. What is composed together is changed as a whole.
pub fn normalize(text: &str, form: Form) -> Mapped {
    if text.is_ascii() {
        return Mapped::new(text, []);
    }
    let starts = text.char_indices().filter(|(_, character)| starts_anew(*character, form)).map(|(at, _)| at);
    let mut bounds: Vec<usize> = starts.chain([text.len()]).collect();
    if bounds[0] != 0 {
        bounds.insert(0, 0);
    }
    let changes = bounds.windows(2).map(|pair| {
        let part = &text[pair[0]..pair[1]];
        let normal = match form {
            Form::Nfc => part.nfc().collect(),
            Form::Nfkc => part.nfkc().collect(),
        };
        (pair[0]..pair[1], normal)
    });
    Mapped::new(text, changes)
}

/// Whether nothing in front of the character ever composes or changes places with it.
fn starts_anew(character: char, form: Form) -> bool {
    if character.is_ascii() {
        return true;
    }
    let mut first = None;
    let take = |part| {
        first.get_or_insert(part);
    };
    match form {
        Form::Nfc => decompose_canonical(character, take),
        Form::Nfkc => decompose_compatible(character, take),
    }
    let first = first.unwrap_or(character);
    canonical_combining_class(first) == 0 && is_nfc_quick([first].into_iter()) == IsNormalized::Yes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accents_are_composed_and_ligatures_written_out() {
        assert_eq!(normalize("e\u{301}t\u{e9}", Form::Nfc).text(), "\u{e9}t\u{e9}");
        assert_eq!(normalize("ﬁn ２\u{a0}½", Form::Nfkc).text(), "fin 2 1\u{2044}2");
        assert_eq!(normalize("ﬁn", Form::Nfc).changes(), 0);
    }

    #[test]
    fn what_touches_a_change_is_not_drawn_into_it() {
        // An Angstrom sign and a no-break space change by themselves.
        assert_eq!(normalize("x\u{212b}y", Form::Nfc).changes(), 1);
        let mapped = normalize("Rome\u{a0}x", Form::Nfkc);
        assert_eq!(
            mapped.moved(schema::Span::new(0, 4).unwrap()),
            super::super::Moved::Kept(schema::Span::new(0, 4).unwrap())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn piece_by_piece_gives_what_the_whole_text_gives(text in "[a-e\u{300}-\u{31a}\u{323}\u{344}\u{1100}-\u{1110}\u{1161}-\u{1170}\u{11a8}-\u{11b0}가-각\u{e0}-\u{ff}\u{915}\u{93c}\u{958}\u{212b}\u{fb01}\u{f71}-\u{f75}\u{ff21}-\u{ff25}\u{ff9e}\u{ff76}\u{1f1}-\u{1f5}]{0,12}") {
            prop_assert_eq!(normalize(&text, Form::Nfc).into_text(), text.nfc().collect::<String>());
            prop_assert_eq!(normalize(&text, Form::Nfkc).into_text(), text.nfkc().collect::<String>());
        }

        #[test]
        fn so_it_does_for_any_text(text in any::<String>()) {
            prop_assert_eq!(normalize(&text, Form::Nfc).into_text(), text.nfc().collect::<String>());
            prop_assert_eq!(normalize(&text, Form::Nfkc).into_text(), text.nfkc().collect::<String>());
        }
    }
}
