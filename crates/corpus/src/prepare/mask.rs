//! Addresses masked.

use std::sync::LazyLock;

use regex::Regex;

use super::{Mapped, mapped::Change};

/// What is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Masked {
    /// Web addresses that start with a scheme (`https://...`) or with `www.`; each becomes `<URL>`.
    Urls,
    /// E-mail addresses; each becomes `<EMAIL>`.
    Emails,
}

static URL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?i)\b(?:(?:https?|ftp)://|www\.)[^\s<>"«»“”]+"#));
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"[\p{L}\p{N}_%+-]+(?:\.[\p{L}\p{N}_%+-]+)*@[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?)+",
    )
});

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are literals of this module")
}

impl Masked {
    fn pattern(self) -> &'static Regex {
        match self {
            Self::Urls => &URL,
            Self::Emails => &EMAIL,
        }
    }

    fn mask(self) -> &'static str {
        match self {
            Self::Urls => "<URL>",
            Self::Emails => "<EMAIL>",
        }
    }
}

/// The text with each address of this kind replaced, as a whole, by its mask.
pub fn mask(text: &str, masked: Masked) -> Mapped {
    let found = masked.pattern().find_iter(text).filter_map(|found| {
        let address = match masked {
            Masked::Urls => without_punctuation(found.as_str()),
            Masked::Emails => found.as_str(),
        };
        let range = found.start()..found.start() + address.len();
        (!address.is_empty()).then(|| -> Change { (range, masked.mask().to_owned()) })
    });
    Mapped::new(text, found)
}

/// An address without the punctuation of the sentence around it; a closing bracket stays if the address opened it.
fn without_punctuation(address: &str) -> &str {
    let mut address = address;
    while let Some(last) = address.chars().next_back() {
        let opening = match last {
            ')' => '(',
            ']' => '[',
            '}' => '{',
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '…' | '*' | '`' => '\0',
            _ => break,
        };
        if opening != '\0' && address.matches(opening).count() >= address.matches(last).count() {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_without_the_sentence_around_them() {
        let cases = [
            ("See https://example.org/a_(b)?c=d#e.", "See <URL>."),
            ("(www.example.org), <http://x.y>", "(<URL>), <<URL>>"),
            ("no scheme: example.org, swww.no", "no scheme: example.org, swww.no"),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text, Masked::Urls).text(), expected);
        }
        let text = "Write to anna.smith+x@mail.example.co.uk, or søren@ærø.dk. Not @anna, a@b or a@.";
        assert_eq!(mask(text, Masked::Emails).text(), "Write to <EMAIL>, or <EMAIL>. Not @anna, a@b or a@.");
    }
}
