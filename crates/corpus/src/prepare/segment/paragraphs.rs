//! Where paragraphs end.

/// Where the paragraphs of a text end, in bytes, before the white space that follows; the end of the last one is not
/// among them. A blank line parts two paragraphs.
pub fn paragraph_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut end, mut blank, mut at) = (0, false, 0);
    for line in text.split_inclusive(['\n', '\u{2029}']) {
        let content = line.trim_end();
        if content.is_empty() {
            blank = true;
        } else {
            if blank && end > 0 {
                ends.push(end);
            }
            (end, blank) = (at + content.len(), line.ends_with('\u{2029}'));
        }
        at += line.len();
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_part_paragraphs_and_line_ends_do_not() {
        assert_eq!(paragraph_ends("\n\nA\nb \r\n \t\r\n\nC\n\n"), [5]);
        assert_eq!(paragraph_ends("A\n\nB\n\nC"), [1, 4]);
        assert_eq!(paragraph_ends("A\nB\u{2029}C"), [3]);
        assert_eq!(paragraph_ends(" \n\n"), [0; 0]);
    }
}
