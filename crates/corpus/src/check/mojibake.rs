//! Q022: text that was decoded wrongly.

use schema::Span;

use super::{Check, Data, Finding, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "Q022",
    name: "mojibake",
    severity: Severity::Warning,
    what: "The replacement character U+FFFD, or UTF-8 that was read as Latin-1 or Windows-1252, such as `Ã©` for `é` \
           and `â€™` for `’`.",
    why: "The model meets words that no text of the real world has, and does not know the words that were meant.",
    fix: "Read the source again as UTF-8; the replacement character cannot be undone.",
    command: None,
};

pub(super) fn find(data: &Data<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for located in data.documents() {
        let text = located.document.text();
        if text.is_ascii() {
            continue;
        }
        let spans = mistakes(text);
        let Some((span, meant)) = spans.first().cloned() else { continue };
        let (quote, more) = (span.quote(text), spans.len() - 1);
        let mut message = match meant {
            Some(meant) => format!("{quote:?} is probably {meant:?} read as Windows-1252"),
            None => "a character was lost (U+FFFD)".to_owned(),
        };
        if more > 0 {
            message = format!("{message}, and {more} more in the text");
        }
        findings.push(Finding::new(Check::Mojibake, message, vec![data.part(located, span)]));
    }
    findings
}

/// The places that were decoded wrongly, with what was meant where that can be told.
fn mistakes(text: &str) -> Vec<(Span, Option<String>)> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let (start, character) = characters[at];
        let mut push = |length: usize, meant: Option<String>| {
            let end = characters.get(at + length).map_or(text.len(), |(end, _)| *end);
            found.extend(Span::new(start, end).ok().map(|span| (span, meant)));
            length
        };
        at += if character == '\u{FFFD}' {
            push(1, None)
        } else if let Some(meant) = misread(&characters[at..]) {
            // As many characters as the one that was meant has bytes.
            push(meant.len_utf8(), Some(meant.to_string()))
        } else if let Some(meant) = misread_apart(&characters[at..]) {
            push(3, Some(meant.to_string()))
        } else {
            1
        };
    }
    found
}

/// The character whose UTF-8 bytes these characters are, each byte read as one character.
fn misread(characters: &[(usize, char)]) -> Option<char> {
    let lead = byte(characters.first()?.1)?;
    let length = match lead {
        // Other leads of two bytes are letters that stand before `«` or a curly quote in sound text.
        0xC2..=0xC5 | 0xCE..=0xD1 => 2,
        0xE2..=0xE3 => 3,
        0xF0 => 4,
        _ => return None,
    };
    let bytes: Vec<u8> = characters.iter().take(length).map_while(|(_, character)| byte(*character)).collect();
    let meant = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    // Pairs of characters that sound text may have: a capital before a quotation mark or a space that does not break.
    let second = characters.get(1)?.1;
    let sound =
        length == 2 && lead > 0xC3 && matches!(second, '“' | '”' | '‘' | '’' | '«' | '»' | '…' | '–' | '—' | '\u{A0}');
    let dubious = lead == 0xC3 && matches!(second, '’' | '”' | '…' | '»' | '\u{A0}' | '—' | '–');
    let plausible = !meant.is_control() && !sound && !dubious;
    plausible.then_some(meant)
}

/// The same where a tokenizer has put a space between a letter's two characters, the second of which is a sign.
fn misread_apart(characters: &[(usize, char)]) -> Option<char> {
    let [(at, 'Ã'), (_, ' '), (_, sign), ..] = characters else { return None };
    let sound =
        sign.is_alphanumeric() || sign.is_whitespace() || matches!(sign, '«' | '»' | '…' | '–' | '—' | '†' | '•');
    let quotes = matches!(sign, '‘' | '’' | '“' | '”' | '‚' | '„' | '‹' | '›');
    if sound || quotes { None } else { misread(&[(*at, 'Ã'), (*at, *sign)]) }
}

/// The byte that Windows-1252 (or Latin-1, where that has none) reads as this character.
fn byte(character: char) -> Option<u8> {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    if let Some(at) = UPPER.iter().position(|upper| *upper == character) {
        return Some(0x80 + at as u8);
    }
    u8::try_from(u32::from(character)).ok().filter(|byte| *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program makes of UTF-8 that it takes for Windows-1252.
    fn misread_text(text: &str) -> String {
        let read = |byte: u8| {
            let of = (0u32..0x2200).filter_map(char::from_u32).find(|c| super::byte(*c) == Some(byte));
            of.unwrap_or(char::from(byte))
        };
        text.bytes().map(read).collect()
    }

    #[test]
    fn letters_quotes_and_emoji_read_as_windows_1252_are_found() {
        for text in ["café", "naïve", "Ærø", "it’s", "“so”", "Łódź", "Москва", "😀", "5 €", "5 °C"]
        {
            assert!(!mistakes(&misread_text(text)).is_empty(), "{text} as {}", misread_text(text));
            assert!(mistakes(text).is_empty(), "{text}");
        }
        assert_eq!(mistakes("cafÃ©")[0].1.as_deref(), Some("é"));
        assert_eq!(mistakes("SÃ © rie")[0].1.as_deref(), Some("é"));
        assert_eq!(mistakes("a\u{FFFD}b")[0].1, None);
    }

    #[test]
    fn sound_text_of_many_languages_is_not_suspected() {
        let sound = [
            "SÃO PAULO",
            "MANHÃ – À NOITE",
            "IRMÃ ’",
            "«Â vrai dire»",
            "Ångström…",
            "dit-il à « Évian »",
            "‘Š’",
            "ÎLE–",
            "Ðað",
            "Ñandú’s",
            "€5 – £6",
            "À “Paris”",
            "naïveté—",
            "Đà Nẵng",
            "Âge",
            "日本",
            "ελλάδα",
            "fiancé’s",
        ];
        for text in sound {
            assert_eq!(mistakes(text), [], "{text}");
        }
    }
}
