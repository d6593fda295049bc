//! What a full stop behind a word means.

/// Behind these something always follows in the same sentence: titles, references, `e.g.` and its like.
/// English, Danish, Norwegian, Swedish, German, French, Spanish; lower case, without the last full stop.
const LEADING: &str = include_str!("leading.txt");

/// These may also be the last word of a sentence.
const TRAILING: &str = include_str!("trailing.txt");

/// Words that far more often begin a sentence than a name, in the same languages; capitalized.
const STARTERS: &str = include_str!("starters.txt");

fn is_one_of(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

/// What the word in front of a full stop says about the sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The full stop ends a sentence.
    Ends,
    /// It belongs to the word, and the sentence goes on.
    Continues,
    /// Either; what follows must decide.
    Open,
}

/// What the full stop behind `word` is, given without it. `first` says that nothing of the sentence stands before.
pub(super) fn stop(word: &str, first: bool) -> Stop {
    let letters = || word.chars().filter(|character| *character != '.');
    if word.is_empty() || word.ends_with('.') {
        return Stop::Ends;
    }
    if word.chars().all(|character| character.is_ascii_digit()) {
        // A list's number, then a day or an ordinal, then a year.
        return match word.len() {
            1..=3 if first => Stop::Continues,
            1 | 2 => Stop::Open,
            _ => Stop::Ends,
        };
    }
    let lower = word.to_lowercase();
    // The second is the end of a German street.
    if is_one_of(LEADING, &lower) || lower.ends_with("str") {
        return Stop::Continues;
    }
    if is_one_of(TRAILING, &lower) {
        return Stop::Open;
    }
    let mut parts = word.split('.');
    let single = parts.all(|part| part.split('-').all(|part| part.chars().count() <= 1));
    if single && letters().all(|letter| letter.is_alphabetic() || letter == '-') {
        // An initial (`J.`, `J.-P.`), an acronym (`U.S.`), an abbreviation (`t.o.m.`) or a list's letter.
        return if first && letters().count() == 1 { Stop::Continues } else { Stop::Open };
    }
    if word.len() <= 5 && word.chars().all(|letter| "IVX".contains(letter)) {
        return Stop::Open;
    }
    Stop::Ends
}

/// Whether the text starts with a word that begins sentences.
pub(super) fn starts_sentence(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'', '“', '”', '„', '«', '»', '‘', '(', '[']);
    let end = text.find(|character: char| !character.is_alphanumeric()).unwrap_or(text.len());
    // `A.` is an initial, not an article.
    !text[end..].starts_with('.') && is_one_of(STARTERS, &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_stop_is_read_from_the_word_before_it() {
        let cases = [
            ("Rome", Stop::Ends),
            ("1999", Stop::Ends),
            ("..", Stop::Ends),
            ("Dr", Stop::Continues),
            ("e.g", Stop::Continues),
            ("J", Stop::Open),
            ("J.-P", Stop::Open),
            ("U.S", Stop::Open),
            ("Inc", Stop::Open),
            ("XIV", Stop::Open),
            ("5", Stop::Open),
            ("v1.2", Stop::Ends),
        ];
        for (word, expected) in cases {
            assert_eq!(stop(word, false), expected, "{word}");
        }
        assert_eq!((stop("1", true), stop("a", true)), (Stop::Continues, Stop::Continues));
    }

    #[test]
    fn an_article_begins_a_sentence_and_an_initial_does_not() {
        assert!(starts_sentence("The end") && starts_sentence("“A man") && starts_sentence("Det"));
        assert!(!starts_sentence("A. Smith") && !starts_sentence("Theodore") && !starts_sentence(""));
    }
}
