//! Long texts in pieces, each a question of its own.

use unicode_segmentation::UnicodeSegmentation as _;

/// The pieces of a text, end to end, none longer than `longest` bytes but for a single character that is: cut behind a
/// paragraph, else a line, else a sentence, else a word, else a character, as late as possible in the second half.
pub(super) fn pieces(text: &str, longest: usize) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while text.len() - start > longest {
        let end = start + cut(&text[start..], longest);
        pieces.push((start, &text[start..end]));
        start = end;
    }
    if start < text.len() || pieces.is_empty() {
        pieces.push((start, &text[start..]));
    }
    pieces
}

fn cut(text: &str, longest: usize) -> usize {
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let late = |at: usize| (at >= longest / 2).then_some(at);
    for mark in ["\n\n", "\n", ". ", "! ", "? ", "\u{3002}", " "] {
        if let Some(at) = head.rfind(mark).and_then(|at| late(at + mark.len())) {
            return at;
        }
    }
    let mut characters = text.grapheme_indices(true).map(|(at, _)| at).skip(1);
    let first = characters.next().unwrap_or(text.len());
    characters.take_while(|at| *at <= end).last().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_lie_end_to_end_and_cut_no_character(text in "[a-c é👩\u{200d}🔬\u{301}.\n。]{0,60}", longest in 1usize..20) {
            let pieces = pieces(&text, longest);
            prop_assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), text.as_str());
            for (start, piece) in pieces {
                prop_assert_eq!(&text[start..start + piece.len()], piece);
                prop_assert!(piece.len() <= longest || piece.graphemes(true).count() <= 1, "{:?}", piece);
            }
        }
    }

    #[test]
    fn a_sentence_is_kept_whole_where_there_is_room() {
        assert_eq!(pieces("One is here. Two is there.", 20), [(0, "One is here. "), (13, "Two is there.")]);
        assert_eq!(pieces("", 5), [(0, "")]);
    }
}
