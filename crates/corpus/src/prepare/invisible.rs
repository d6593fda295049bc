//! Characters that nobody sees.

use super::Mapped;

/// The text without control characters (line ends and tabs stay) and without characters of no width.
///
/// The zero-width joiner and non-joiner stay: in Persian, in the scripts of India and in emoji they decide what is
/// read. What remains of a Windows line end is its line feed.
pub fn remove_invisible(text: &str) -> Mapped {
    let characters = text.char_indices().filter(|&(at, character)| {
        let returns = character == '\r' && text[at..].starts_with("\r\n");
        returns || is_invisible(character)
    });
    Mapped::new(text, characters.map(|(at, character)| (at..at + character.len_utf8(), String::new())))
}

/// Format characters of the Unicode Character Database that have no width and no meaning for a reader.
fn is_invisible(character: char) -> bool {
    match character {
        '\n' | '\r' | '\t' => false,
        // Soft hyphen, zero-width space, marks and embeddings of direction, word joiner and invisible operators,
        // isolates, deprecated format characters, byte order mark, interlinear annotation.
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_stays_and_what_is_not_seen_goes() {
        assert_eq!(remove_invisible("\u{feff}Ro\u{ad}me\u{200b},\u{7}\r\nItaly\t\u{85}!").text(), "Rome,\nItaly\t!");
        for text in ["👩\u{200d}🔬", "می\u{200c}خواهم", "a\rb", "é\u{301}"] {
            assert_eq!(remove_invisible(text).text(), text);
        }
    }
}
