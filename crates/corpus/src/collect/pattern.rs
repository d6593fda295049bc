//! Patterns of paths and addresses, where `*` stands for any characters.

/// Whether `text` starts with the pattern, as robots.txt means it: `*` stands for any characters, and a `$` at the
/// pattern's end for the end of the text.
///
/// Takes time in proportion to both lengths multiplied, at worst.
pub(super) fn starts(text: &[u8], pattern: &[u8]) -> bool {
    match pattern.strip_suffix(b"$") {
        Some(pattern) => matches(text, pattern, true),
        None => matches(text, pattern, false),
    }
}

/// Whether the whole text is as the pattern says; `*` stands for any characters.
pub(super) fn is(text: &[u8], pattern: &[u8]) -> bool {
    matches(text, pattern, true)
}

fn matches(text: &[u8], pattern: &[u8], whole: bool) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where to go on when what follows the last star does not fit: it takes one byte more.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if place == pattern.len() && (!whole || at == text.len()) {
            return true;
        }
        if place < pattern.len() && pattern[place] == b'*' {
            place += 1;
            star = Some((at, place));
        } else if place < pattern.len() && at < text.len() && pattern[place] == text[at] {
            (at, place) = (at + 1, place + 1);
        } else if let Some((begun, behind)) = star.filter(|(begun, _)| *begun < text.len()) {
            star = Some((begun + 1, behind));
            (at, place) = (begun + 1, behind);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything_and_a_dollar_for_the_end() {
        for (pattern, text, expected) in [
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish", false),
            ("/fish*", "/fishheads/yummy.html", true),
            ("/*.php", "/folder/any.php.file", true),
            ("/*.php$", "/filename.php", true),
            ("/*.php$", "/filename.php5", false),
            ("/*.php$", "/a.php/b.php", true),
            ("/fish*.php", "/fishheads/catfish.php?id=1", true),
            ("/a$b", "/a$b", true),
            ("", "/", true),
            ("$", "/", false),
        ] {
            assert_eq!(starts(text.as_bytes(), pattern.as_bytes()), expected, "{pattern} {text}");
        }
        assert!(is(b"https://a/b/c", b"*/b/*") && !is(b"https://a/b", b"*/b/*") && is(b"", b"*"));
    }

    #[test]
    fn many_stars_cost_no_exponential_time() {
        let text = "a".repeat(20_000);
        let pattern = "*a".repeat(100) + "b";
        assert!(!starts(text.as_bytes(), pattern.as_bytes()));
    }
}
