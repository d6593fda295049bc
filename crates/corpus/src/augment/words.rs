//! The words of a text that a method may change.

use schema::{Document, Span};

use crate::tokens::{is_space, tokens};

/// A word or mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub span: Span,
    /// Position of the entity that it is part of.
    pub entity: Option<usize>,
}

/// The words and marks of a document, in order; each lies in one entity or in none.
///
/// Where tokens are known, these are the words, but for those that a change could not leave whole: tokens with white
/// space inside, and those that an entity cuts.
pub(super) fn words(document: &Document) -> Vec<Word> {
    let known = document.tokens().unwrap_or_default();
    let mut entities = document.entities().iter().enumerate().peekable();
    let mut words = Vec::new();
    for span in tokens(document, &mut Vec::new()) {
        while entities.next_if(|(_, entity)| entity.span.end() <= span.start()).is_some() {}
        let entity = entities.peek().filter(|(_, entity)| entity.span.overlaps(span)).map(|(index, _)| *index);
        let at = known.partition_point(|token| token.end() <= span.start());
        let is_cut = known.get(at).is_some_and(|token| token.overlaps(span) && *token != span);
        if !is_cut && !span.quote(document.text()).contains(is_space) {
            words.push(Word { span, entity });
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Label};

    use super::*;

    #[test]
    fn words_know_their_entity_and_those_that_cannot_stay_whole_are_left_out() {
        let span = |start, end| Span::new(start, end).unwrap();
        let entity = |start, end| Entity::new(span(start, end), Label::new("X").unwrap());
        let document = || Document::new("New-York isn't far, ok").with_entities(vec![entity(4, 8)]).unwrap();
        let shown = |document: &Document| -> Vec<(String, bool)> {
            let word = |word: Word| (word.span.quote(document.text()).to_owned(), word.entity.is_some());
            words(document).into_iter().map(word).collect()
        };
        let all = ["New", "-", "York", "isn", "'", "t", "far", ",", "ok"];
        assert!(shown(&document()).into_iter().eq(all.map(|word| (word.to_owned(), word == "York"))));
        let tokens = [(0, 8), (9, 14), (15, 22)].map(|(start, end)| span(start, end)).to_vec();
        let known = document().with_tokens(tokens).unwrap();
        assert_eq!(shown(&known), [("isn't".to_owned(), false)]);
    }
}
