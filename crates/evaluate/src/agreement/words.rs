//! Tokens of a text that has none of its own.

use schema::Span;

/// The words of a text: runs of letters, digits and marks, and every other visible character by itself. Characters of
/// scripts that put no space between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are words by themselves.
pub fn words(text: &str) -> Vec<Span> {
    let mut words: Vec<Span> = Vec::new();
    let mut open = false;
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        let joins = !is_unspaced(character) && (character.is_alphanumeric() || is_mark(character));
        if open && joins {
            if let (Some(last), Ok(piece)) = (words.last_mut(), Span::new(start, end)) {
                *last = last.join(piece);
            }
        } else if !character.is_whitespace() && !character.is_control() {
            words.extend(Span::new(start, end));
        }
        open = joins;
    }
    words
}

/// What is written on the letter before it: combining marks, joiners, variation selectors.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{200c}'..='\u{200d}'
        | '\u{20d0}'..='\u{20f0}' | '\u{fe00}'..='\u{fe0f}')
}

fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_single_signs() {
        let quotes =
            |text: &'static str| -> Vec<&str> { words(text).into_iter().map(|span| span.quote(text)).collect() };
        assert_eq!(
            quotes("It's 3.5 mg,\r\n Zoe\u{308}!"),
            ["It", "'", "s", "3", ".", "5", "mg", ",", "Zoe\u{308}", "!"]
        );
        assert_eq!(quotes("東京 Tower"), ["東", "京", "Tower"]);
        assert_eq!(quotes("  \t"), [""; 0]);
    }
}
