//! White space.

use super::Mapped;

/// What becomes of line ends where white space is collapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineEnds {
    /// One stays one, and several become two, so that paragraphs stay apart.
    Kept,
    /// They become spaces: the text is one line.
    Joined,
}

/// The text with each run of white space collapsed, as a whole, to one space or to its line ends.
pub fn collapse(text: &str, line_ends: LineEnds) -> Mapped {
    Mapped::new(text, runs(text).map(|(start, end)| (start..end, collapsed(&text[start..end], line_ends).to_owned())))
}

/// The text without white space at its ends.
pub fn trim(text: &str) -> Mapped {
    let (left, right) = (text.len() - text.trim_start().len(), text.trim_end().len());
    let ends = [0..left, right.max(left)..text.len()].into_iter().filter(|range| !range.is_empty());
    Mapped::new(text, ends.map(|range| (range, String::new())))
}

fn collapsed(run: &str, line_ends: LineEnds) -> &'static str {
    let lines = run.matches(is_line_end).count() - run.matches("\r\n").count();
    match (line_ends, lines) {
        (LineEnds::Joined, _) | (_, 0) => " ",
        (LineEnds::Kept, 1) => "\n",
        (LineEnds::Kept, _) => "\n\n",
    }
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Starts and ends of the runs of white space.
fn runs(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_whitespace)?;
        let rest = &text[start..];
        at = start + rest.find(|character: char| !character.is_whitespace()).unwrap_or(rest.len());
        Some((start, at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_one_space_and_paragraphs_stay_apart() {
        let text = "a \t b\u{a0}c \r\n d\n \n\n e\u{2003}";
        assert_eq!(collapse(text, LineEnds::Kept).text(), "a b c\nd\n\ne ");
        assert_eq!(collapse(text, LineEnds::Joined).text(), "a b c d e ");
        assert_eq!(collapse("a b\nc", LineEnds::Kept).changes(), 0);
    }

    #[test]
    fn only_the_ends_are_trimmed() {
        assert_eq!(trim(" \n a  b\t").text(), "a  b");
        assert_eq!(trim(" \n").text(), "");
        assert_eq!(trim("").text(), "");
    }
}
