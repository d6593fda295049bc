//! Texts change and entities move along, whatever characters there are.

use std::sync::Arc;

use nomen_corpus::prepare::{Form, LineCounts, LineEnds, Mapped, Masked, Moved, Prepared, Step, prepare};
use proptest::{collection::vec, prelude::*, sample::select};
use schema::{Document, Entity, Label, Span};

use crate::{document, entity};

/// Pieces that the steps change, next to some that they do not.
const PIECES: [&str; 34] = [
    "a",
    "Word",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t\n ",
    "\u{a0}",
    "\u{2003}",
    "e\u{301}",
    "\u{301}",
    "\u{323}",
    "é",
    "ﬁ",
    "½",
    "２",
    "\u{212b}",
    "각",
    "\u{1100}\u{1161}",
    "\u{200b}",
    "\u{feff}",
    "\u{ad}",
    "\u{7}",
    "👩\u{200d}🔬",
    "İ",
    "ẞ",
    "ÆRØ",
    "漢字",
    "Menu\n",
    "\nMenu\n",
    ".",
    "https://Example.org/a",
    "anna@example.org",
    "",
];

/// Documents with 0 to 4 entities between any two characters.
fn documents() -> impl Strategy<Value = Document> {
    (vec(select(PIECES.to_vec()), 0..14), vec(0usize..60, 0..8)).prop_map(|(pieces, mut edges)| {
        let text = pieces.concat();
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for edge in &mut edges {
            *edge = bounds[*edge % bounds.len()];
        }
        edges.sort_unstable();
        let label = Label::new("X").unwrap();
        let spans = edges.chunks_exact(2).filter_map(|pair| Span::new(pair[0], pair[1]).ok());
        Document::new(&*text).with_entities(spans.map(|span| Entity::new(span, label.clone())).collect()).unwrap()
    })
}

fn boilerplate() -> Step {
    let mut lines = LineCounts::default();
    for text in ["Menu\na", "Menu\nb"] {
        lines.add(text);
    }
    Step::Boilerplate(Arc::new(lines.at_least(1.0)))
}

/// The steps that make of a part of a text what they make of it in the whole.
fn local_steps() -> Vec<Step> {
    vec![
        Step::Normalize(Form::Nfc),
        Step::Normalize(Form::Nfkc),
        Step::WhiteSpace(LineEnds::Kept),
        Step::WhiteSpace(LineEnds::Joined),
        Step::Lower,
    ]
}

/// All others: what they do hangs on what stands around.
fn other_steps() -> Vec<Step> {
    vec![Step::Invisible, Step::Trim, boilerplate(), Step::Mask(Masked::Urls), Step::Mask(Masked::Emails)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(select(local_steps().into_iter().chain(other_steps()).collect::<Vec<_>>()), 0..5)
}

fn span(start: usize, end: usize) -> Span {
    Span::new(start, end).unwrap()
}

/// What is left of a range of the original when nothing but removed text is taken from its ends.
fn without_removed_ends(mapped: &Mapped, text: &str, whole: Span) -> Option<Span> {
    let kept: Vec<Span> = text[whole.range()]
        .char_indices()
        .map(|(at, character)| span(whole.start() + at, whole.start() + at + character.len_utf8()))
        .filter(|character| mapped.moved(*character) != Moved::Removed)
        .collect();
    Some(kept.first()?.join(*kept.last()?))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn the_text_of_an_entity_is_what_the_step_makes_of_it(document in documents(), step in select(local_steps())) {
        let prepared = prepare(&document, std::slice::from_ref(&step)).unwrap();
        let kept = document.entities().iter().enumerate().filter(|(index, _)| prepared.lost.iter().all(|lost| lost.index != *index));
        let before: Vec<String> = kept.map(|(_, entity)| step.apply(entity.span.quote(document.text())).into_text()).collect();
        let after: Vec<&str> = prepared.document.entities().iter().map(|entity| entity.span.quote(prepared.document.text())).collect();
        prop_assert_eq!(after, before);
    }

    #[test]
    fn removing_takes_the_same_characters_from_an_entity_and_nothing_else(document in documents()) {
        let prepared = prepare(&document, &[Step::Invisible]).unwrap();
        for entity in &document.entities().iter().filter(|entity| !entity.span.quote(document.text()).contains('\r')).collect::<Vec<_>>() {
            let left = Step::Invisible.apply(entity.span.quote(document.text())).into_text();
            let moved = prepared.mapped.moved(entity.span);
            let found = match moved { Moved::Kept(span) => span.quote(prepared.document.text()), _ => "" };
            prop_assert_eq!(found, left);
            prop_assert_ne!(moved, Moved::Cut);
        }
    }

    #[test]
    fn mapping_back_gives_the_span_that_an_entity_had(document in documents(), steps in steps()) {
        let Prepared { document: prepared, mapped, changes, lost, .. } = prepare(&document, &steps).unwrap();
        prop_assert_eq!(changes.len(), steps.len());
        prop_assert_eq!(prepared.entities().len() + lost.len(), document.entities().len());
        let kept = document.entities().iter().enumerate().filter(|(index, _)| lost.iter().all(|lost| lost.index != *index));
        for ((_, before), after) in kept.zip(prepared.entities()) {
            // The map over all steps says the same as one step after the other, or that it cannot tell: where one step
            // changed a part of what another did, the two are one change.
            match mapped.moved(before.span) {
                Moved::Cut => continue,
                moved => prop_assert_eq!(moved, Moved::Kept(after.span)),
            }
            let origin = mapped.origin(after.span);
            let expected = without_removed_ends(&mapped, document.text(), before.span).unwrap();
            prop_assert_eq!(origin, expected.range());
        }
    }

    #[test]
    fn every_byte_comes_from_somewhere_in_order(document in documents(), steps in steps()) {
        let mapped = prepare(&document, &steps).unwrap().mapped;
        let mut end = 0;
        for (at, character) in mapped.text().char_indices() {
            let origin = mapped.origin(span(at, at + character.len_utf8()));
            prop_assert!(origin.start < origin.end && origin.end >= end && origin.end <= document.text().len());
            prop_assert!(document.text().is_char_boundary(origin.start) && document.text().is_char_boundary(origin.end));
            end = origin.end;
        }
        if let Ok(whole) = Span::new(0, document.text().len()) {
            prop_assert_ne!(mapped.moved(whole), Moved::Cut);
        }
        prop_assert_eq!(mapped.changes() == 0, mapped.text() == document.text());
    }
}

#[test]
fn an_entity_that_a_step_leaves_no_place_for_is_told_with_the_step() {
    let text = "See https://example.org/Rome now\u{200b}";
    let document = document(text, vec![entity(24, 28, "LOC"), entity(32, 35, "X")]);
    let steps = [Step::Normalize(Form::Nfc), Step::Mask(Masked::Urls), Step::Invisible];
    let prepared = prepare(&document, &steps).unwrap();
    assert_eq!(prepared.document.text(), "See <URL> now");
    assert!(prepared.document.entities().is_empty() && prepared.document.partial);
    let lost: Vec<_> = prepared.lost.iter().map(|lost| (lost.quote.as_str(), lost.step, lost.removed)).collect();
    assert_eq!(lost, [("Rome", 1, false), ("\u{200b}", 2, true)]);
}

#[test]
fn known_words_move_along_and_are_given_up_where_one_is_cut() {
    let tokens = |bounds: &[(usize, usize)]| bounds.iter().map(|(start, end)| span(*start, *end)).collect::<Vec<_>>();
    let document = Document::new("Two  \u{200b} words").with_tokens(tokens(&[(0, 3), (5, 8), (9, 14)])).unwrap();
    let prepared = prepare(&document, &[Step::Invisible, Step::WhiteSpace(LineEnds::Kept)]).unwrap();
    assert_eq!(prepared.document.text(), "Two words");
    assert_eq!(prepared.document.tokens(), Some(&tokens(&[(0, 3), (4, 9)])[..]));

    let cut = Document::new("a www.x.org").with_tokens(tokens(&[(0, 1), (2, 5), (5, 11)])).unwrap();
    let prepared = prepare(&cut, &[Step::Mask(Masked::Urls)]).unwrap();
    assert!(prepared.tokens_lost && prepared.document.tokens().is_none());
}
