//! What two texts must share to be the same.

/// The text in lower case, its runs of white space single spaces, none at its ends.
///
/// Characters are not normalized otherwise: a letter with a combining accent stays another text than the one
/// composed character.
pub fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut folded = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space_do_not_count_and_everything_else_does() {
        assert_eq!(fold("  ÆRØ \r\n er\u{a0}EN\tø "), "ærø er en ø");
        assert_eq!(fold(" \n"), "");
        assert_ne!(fold("a b"), fold("ab"));
        assert_ne!(fold("a."), fold("a"));
    }
}
