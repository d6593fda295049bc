//! Which regular expressions of a foreign file may run.

use regex::Regex;

/// Bytes of one pattern.
const MAX_BYTES: usize = 2048;

/// What byte-level tokenizers since GPT-2 write to keep the last space of a run with the word behind it; the only
/// look-around in common use, and one that gives back at most one repetition after another.
const TRAILING_SPACE: &str = r"\s+(?!\S)";

/// A pattern that matches in time linear in the text.
#[derive(Debug)]
pub(super) struct Linear {
    /// Whether it matches the empty text, so that a replacement is inserted between any two characters.
    pub matches_empty: bool,
}

/// Accepts patterns that an automaton can run, and alternations in which the only other branch is
/// [`TRAILING_SPACE`]. Look-around, back references and the like are refused, because a hostile one backtracks
/// for longer than anybody waits, and because the matcher behind it gives up in silence.
///
/// # Errors
/// What the pattern uses, and what it may use.
pub(super) fn linear(pattern: &str) -> Result<Linear, String> {
    if pattern.len() > MAX_BYTES {
        return Err(format!("the pattern has {} bytes, at most {MAX_BYTES} are accepted", pattern.len()));
    }
    if let Ok(whole) = Regex::new(pattern) {
        return Ok(Linear { matches_empty: whole.is_match("") });
    }
    let mut matches_empty = false;
    for branch in branches(pattern).into_iter().filter(|branch| *branch != TRAILING_SPACE) {
        let regex = Regex::new(branch).map_err(|_| {
            format!(
                "the pattern `{}` needs backtracking, is too large or is malformed; expected one without \
                 look-around and back references (but for `{TRAILING_SPACE}` as a branch)",
                branch.escape_debug()
            )
        })?;
        matches_empty |= regex.is_match("");
    }
    Ok(Linear { matches_empty })
}

/// The branches of the outermost alternation.
fn branches(pattern: &str) -> Vec<&str> {
    let (mut found, mut start) = (Vec::new(), 0);
    let (mut groups, mut classes, mut escaped) = (0_usize, 0_usize, false);
    for (at, character) in pattern.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match character {
            '\\' => escaped = true,
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 => groups += 1,
            ')' if classes == 0 => groups = groups.saturating_sub(1),
            '|' if classes == 0 && groups == 0 => {
                found.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&pattern[start..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_known_tokenizers_are_accepted() {
        for pattern in [
            " {2,}",
            r"\s+",
            r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ] {
            linear(pattern).unwrap();
        }
    }

    #[test]
    fn patterns_that_backtrack_are_refused() {
        let long = "a".repeat(MAX_BYTES + 1);
        for pattern in
            [r"(?=a)(a+)+$", r"(a*)*\1", r"(?:a|a)+(?!b)|\s+", r"(?<!a)b", "(", "(?:(?:a{1000}){1000}){1000}", &long]
        {
            assert!(linear(pattern).is_err(), "{pattern:.40}");
        }
    }

    #[test]
    fn an_exponential_pattern_for_a_backtracker_is_linear_for_an_automaton() {
        assert!(!linear("(a+)+b").unwrap().matches_empty);
        assert!(linear("a*").unwrap().matches_empty);
    }

    #[test]
    fn bars_inside_groups_classes_and_escapes_do_not_split() {
        assert_eq!(branches(r"a|(b|c)|[|]|\||d"), ["a", "(b|c)", "[|]", r"\|", "d"]);
    }
}
