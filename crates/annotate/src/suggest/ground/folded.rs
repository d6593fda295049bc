//! A text with what does not tell words apart folded away, and the way back to its bytes.

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// The folded letters of a text, each with the bytes of the character that it comes from.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) letters: Vec<char>,
    /// Start and end of the character (or the run of white space) that each letter comes from.
    origins: Vec<(u32, u32)>,
}

/// The folded letters of a text: compatibility forms composed (NFKC), upper and lower case as one, runs of white space as
/// one space, typographic quotation marks, apostrophes and dashes as those of a typewriter, invisible hyphens and
/// zero-width spaces left out.
pub(crate) fn fold(text: &str) -> Vec<char> {
    Folded::new(text).letters
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        let (mut letters, mut origins) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
        let mut in_space = false;
        for (start, character) in text.grapheme_indices(true) {
            let end = (start + character.len()) as u32;
            let start = start as u32;
            if character.chars().all(char::is_whitespace) {
                if in_space {
                    if let Some((_, last)) = origins.last_mut() {
                        *last = end;
                    }
                } else {
                    letters.push(' ');
                    origins.push((start, end));
                }
                in_space = true;
                continue;
            }
            if character.chars().all(is_invisible) {
                continue;
            }
            in_space = false;
            let upper = character.nfkc().flat_map(char::to_uppercase);
            for letter in upper.flat_map(char::to_lowercase).nfkc().map(plain) {
                letters.push(letter);
                origins.push((start, end));
            }
        }
        Self { letters, origins }
    }

    /// The byte at which the character of a letter starts, where the letter is the first of its character.
    pub(super) fn start(&self, letter: usize) -> Option<usize> {
        let origin = self.origins.get(letter)?;
        let first = letter == 0 || self.origins[letter - 1] != *origin;
        first.then_some(origin.0 as usize)
    }

    /// The byte at which the character in front of a letter's place ends, where that place is between characters.
    pub(super) fn end(&self, place: usize) -> Option<usize> {
        let origin = self.origins.get(place.checked_sub(1)?)?;
        (self.origins.get(place) != Some(origin)).then_some(origin.1 as usize)
    }
}

fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn plain(letter: char) -> char {
    match letter {
        '\u{2018}'..='\u{201b}' | '\u{2bc}' | '\u{2032}' | '`' | '\u{b4}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_the_same_folds_to_the_same() {
        let same = [
            ("STRASSE", "straße"),
            ("Cafe\u{301}", "CAFÉ"),
            ("ﬁle", "File"),
            ("a \r\n\t b", "A b"),
            ("“O’Neil” – x", "\"o'neil\" - x"),
            ("ΟΔΟΣ", "οδος"),
            ("ｱｲｳ", "アイウ"),
            ("co\u{ad}op", "coop"),
        ];
        for (a, b) in same {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("Müller"), fold("Muller"));
    }

    #[test]
    fn letters_know_their_bytes_and_no_place_lies_inside_a_character() {
        let text = "xﬁ  é!";
        let folded = Folded::new(text);
        assert_eq!(folded.letters.iter().collect::<String>(), "xfi é!");
        // The ligature is one character, whose second letter starts nowhere.
        assert_eq!((folded.start(1), folded.start(2), folded.end(2), folded.end(3)), (Some(1), None, None, Some(4)));
        assert_eq!((folded.start(3), folded.end(4)), (Some(4), Some(6)));
    }
}
