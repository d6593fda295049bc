//! Where sentences end.

use unicode_segmentation::UnicodeSegmentation as _;

use super::abbreviations::{Stop, starts_sentence, stop};

/// A line at least this long (in characters) that ends without punctuation was wrapped; a shorter one is a heading, an
/// item or a verse.
const WRAPPED: usize = 45;

/// Where the sentences of a text end, in bytes, before the white space that follows; the end of the last one is not
/// among them.
///
/// The places are those of Unicode Standard Annex 29, and those before a number, less the ones where a full stop belongs
/// to an abbreviation, an initial, an ordinal or the number of a list item, where a quotation or a parenthesis goes
/// on in lower case, and where a line was only wrapped. A blank line always ends a sentence.
pub fn sentence_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = text.len() - text.trim_start().len();
    let mut looked_at = start;
    for bound in candidates(text) {
        // In one run of white space only the first place is asked: the others have the same neighbours.
        if bound <= looked_at {
            continue;
        }
        let (before, after) = (text[start..bound].trim_end(), text[bound..].trim_start());
        let (end, next) = (start + before.len(), text.len() - after.len());
        looked_at = next;
        if !after.is_empty() && is_end(before, &text[end..next], after) {
            ends.push(end);
            start = next;
        }
    }
    ends
}

/// The places that may be ends, in order, in front of or behind the white space there.
fn candidates(text: &str) -> Vec<usize> {
    let mut places: Vec<usize> = text.split_sentence_bound_indices().skip(1).map(|(at, _)| at).collect();
    // The annex goes on behind `in 2010. 50 people`, because the next letter is a small one.
    let number = |(at, _): &(usize, &str)| {
        let rest = text[at + 1..].trim_start();
        rest.len() < text.len() - at - 1 && rest.starts_with(|next: char| next.is_ascii_digit())
    };
    places.extend(text.match_indices('.').filter(number).map(|(at, _)| at + 1));
    places.sort_unstable();
    places.dedup();
    places
}

/// Whether a sentence that reads `before` is over, with this white space up to what comes `after`.
fn is_end(before: &str, gap: &str, after: &str) -> bool {
    let lines =
        gap.matches('\n').count().max(gap.matches('\r').count()) + gap.matches(['\u{2028}', '\u{2029}']).count();
    if lines > 1 || (lines == 1 && is_item(after)) {
        return true;
    }
    let bare = before.trim_end_matches([')', ']', '}', '"', '\'', '”', '’', '»', '«', '›', '“', '‘']);
    let Some(last) = bare.chars().next_back() else { return false };
    let goes_on_in_lower_case = || {
        let words = after.trim_start_matches(|c: char| c.is_whitespace() || "()[]\"'“”„‘’«»‹›".contains(c));
        words.starts_with(char::is_lowercase)
    };
    match last {
        // White space follows the end of a sentence, except in scripts that do without.
        '.' | '!' | '?' | '…' if gap.is_empty() || goes_on_in_lower_case() => false,
        '.' => match stop(
            last_word(&bare[..bare.len() - 1]),
            bare.len() == before.len() && !before.contains(char::is_whitespace),
        ) {
            Stop::Ends => true,
            Stop::Continues => false,
            Stop::Open => starts_sentence(after),
        },
        last if is_terminator(last) => true,
        _ if lines == 1 => {
            let line = before.rsplit('\n').next().unwrap_or(before);
            let wrapped = line.chars().count() >= WRAPPED && !line.ends_with(':');
            !wrapped && !goes_on_in_lower_case()
        }
        _ => false,
    }
}

/// The word at the end, without opening punctuation; empty where white space stands there.
fn last_word(text: &str) -> &str {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.trim_start_matches(['(', '[', '{', '"', '\'', '“', '„', '«', '»', '‘', '-', '–', '—', '/'])
}

/// Ends of sentences in the scripts that Unicode lists as `Sentence_Terminal`, the common ones.
fn is_terminator(character: char) -> bool {
    matches!(
        character,
        '!' | '?'
            | '…'
            | '‼'
            | '‽'
            | '⁇'
            | '⁈'
            | '⁉'
            | '。'
            | '！'
            | '？'
            | '．'
            | '｡'
            | '।'
            | '॥'
            | '؟'
            | '۔'
            | '։'
            | '።'
            | '፧'
            | '၊'
            | '။'
            | '។'
            | '៕'
    )
}

/// Whether a line starts like an item of a list: `- `, `• `, `1. `, `2) `, `a) `, `(b) `, `# `.
fn is_item(line: &str) -> bool {
    let (marker, _) = line.split_once([' ', '\t', '\u{a0}']).unwrap_or((line, ""));
    if ["-", "*", "+", "•", "–", "—", "▪", "·", "◦"].contains(&marker)
        || (!marker.is_empty() && marker.chars().all(|c| c == '#'))
    {
        return true;
    }
    let inner = marker.trim_start_matches('(');
    let Some(inner) = inner.strip_suffix([')', '.']) else { return false };
    let number =
        inner.split('.').all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    number || (inner.len() == 1 && inner.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<&str> {
        let mut start = 0;
        let mut sentences = Vec::new();
        for end in sentence_ends(text).into_iter().chain([text.len()]) {
            sentences.push(text[start..end].trim());
            start = end;
        }
        sentences
    }

    #[test]
    fn wrapped_lines_go_on_and_headings_items_and_blank_lines_do_not() {
        let text = "A Heading\nThis line is long enough to have been wrapped by an editor at\nRome. Next\n\n- one\n- two\n1. three";
        let expected = [
            "A Heading",
            "This line is long enough to have been wrapped by an editor at\nRome.",
            "Next",
            "- one",
            "- two",
            "1. three",
        ];
        assert_eq!(sentences(text), expected);
    }

    #[test]
    fn ends_are_in_order_and_never_inside_white_space() {
        for text in ["", " ", ".", " . ", "A. ", "\n\nA.\n\n B", "。。A", "a.\r\n\r\nb"] {
            let ends = sentence_ends(text);
            assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{text:?}");
            assert!(ends.iter().all(|end| text[..*end].trim_end().len() == *end), "{text:?}");
        }
    }
}
