//! Quotes find their places, and never a wrong one in silence.

use nomen_annotate::suggest::{
    Grounding::{self, Ambiguous, Exact, Folded, Fuzzy, Ungrounded},
    ground::{Ground, Grounded, Quote},
};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::label;

fn quote(text: &str) -> Quote {
    Quote { text: text.into(), label: label("X"), before: String::new() }
}

fn after(before: &str, text: &str) -> Quote {
    Quote { before: before.into(), ..quote(text) }
}

/// Status, start and covered text of each quote.
fn aligned<'t>(text: &'t str, quotes: &[Quote]) -> Vec<(Grounding, Option<(usize, &'t str)>)> {
    let told = |found: &Grounded| (found.status, found.span.map(|span| (span.start(), span.quote(text))));
    Ground::new(text).align(quotes).iter().map(told).collect()
}

#[test]
fn words_are_found_as_they_are_but_for_case_and_within_a_few_letters() {
    let text = "Anna Lovelace moved to “New  York” with Straßmann.";
    let quotes = ["anna lovelace", "New York", "STRASSMANN"].map(quote);
    let found = aligned(text, &quotes);
    assert_eq!(found[0], (Folded, Some((0, "Anna Lovelace"))));
    assert_eq!(found[1].0, Folded);
    assert_eq!(found[1].1.unwrap().1, "New  York");
    assert_eq!(found[2], (Folded, Some((44, "Straßmann"))));
    assert_eq!(aligned(text, &[quote("Anna Lovelase")]), [(Fuzzy, Some((0, "Anna Lovelace")))]);
    assert_eq!(aligned(text, &[quote("Ada Byron")]), [(Ungrounded, None)]);
    assert_eq!(aligned(text, &[quote(" Anna\n")]), [(Exact, Some((0, "Anna")))]);
    assert_eq!(aligned(text, &[quote("  ")]), [(Ungrounded, None)]);
}

#[test]
fn the_letters_that_differ_are_reported() {
    let found = Ground::new("the acetylsalicilic acid helps").align(&[quote("acetylsalicylic acids")]);
    assert_eq!((found[0].status, found[0].edits), (Fuzzy, 2));
    let short = Ground::new("a cat sat").align(&[quote("cot")]);
    assert_eq!(short[0].status, Ungrounded, "a short word with another letter is another word");
}

#[test]
fn as_many_quotes_as_places_are_all_decided_by_their_order() {
    let text = "Paris met Paris in Paris.";
    let places: Vec<_> = aligned(text, &["Paris", "Paris", "Paris"].map(quote));
    assert_eq!(places, [(Exact, Some((0, "Paris"))), (Exact, Some((10, "Paris"))), (Exact, Some((19, "Paris")))]);
}

#[test]
fn a_quote_with_several_places_and_nothing_to_decide_is_ambiguous() {
    let text = "Paris met Paris in Rome.";
    assert_eq!(aligned(text, &[quote("Paris"), quote("Rome")])[0], (Ambiguous, Some((0, "Paris"))));
    // What stands before it decides, or its neighbours in the order of reading.
    assert_eq!(aligned(text, &[after("has met", "Paris")]), [(Exact, Some((10, "Paris")))]);
    assert_eq!(aligned(text, &[quote("met"), quote("Paris")])[1], (Exact, Some((10, "Paris"))));
}

#[test]
fn a_quote_that_is_given_too_often_is_ungrounded_for_the_rest() {
    let found = aligned("Paris and Rome", &["Paris", "Paris", "Rome", "Rome"].map(quote));
    let statuses: Vec<Grounding> = found.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [Exact, Ungrounded, Exact, Ungrounded]);
}

#[test]
fn one_quote_too_many_makes_no_doubt_of_the_others() {
    let found = aligned("Paris and Paris", &["Paris", "Paris", "Paris"].map(quote));
    assert_eq!(found, [(Exact, Some((0, "Paris"))), (Exact, Some((10, "Paris"))), (Ungrounded, None)]);
}

#[test]
fn quotes_out_of_order_still_find_the_only_places_that_they_have() {
    let found = aligned("Anna left Rome for Oslo", &["Oslo", "Anna", "Rome"].map(quote));
    assert_eq!(found, [(Exact, Some((19, "Oslo"))), (Exact, Some((0, "Anna"))), (Exact, Some((10, "Rome")))]);
}

#[test]
fn nested_quotes_and_one_quote_with_two_labels_all_stand() {
    let text = "the New York Times of New York";
    let found = aligned(text, &["New York Times", "New York"].map(quote));
    assert_eq!(found, [(Exact, Some((4, "New York Times"))), (Exact, Some((22, "New York")))]);
    let both = [quote("New York Times"), Quote { label: label("Y"), ..quote("New York Times") }];
    assert!(aligned(text, &both).iter().all(|(status, place)| *status == Exact && place.unwrap().0 == 4));
}

#[test]
fn whole_words_are_preferred_and_short_ones_never_stand_amid_others() {
    assert_eq!(aligned("partial art", &[quote("art")]), [(Exact, Some((8, "art")))]);
    assert_eq!(aligned("starts", &[quote("art")]), [(Ungrounded, None)]);
    // Case is not folded inside a word: `with` holds no `IT`.
    assert_eq!(aligned("works with us", &[quote("IT")]), [(Ungrounded, None)]);
    assert_eq!(aligned("서울에서 만나요", &[quote("서울")]), [(Exact, Some((0, "서울")))]);
}

#[test]
fn no_span_cuts_what_a_reader_sees_as_one_character() {
    // A plain letter is no part of one with an accent, a woman no part of a scientist.
    assert_eq!(aligned("cafe\u{301}", &[quote("cafe")]), [(Ungrounded, None)]);
    assert_eq!(aligned("x 👩‍🔬 y", &[quote("👩")]), [(Ungrounded, None)]);
    assert_eq!(aligned("Caf\u{e9} noir", &[quote("Cafe\u{301} noir")]), [(Folded, Some((0, "Caf\u{e9} noir")))]);
    assert_eq!(aligned("a\r\nb c", &[quote("a\nb")]), [(Folded, Some((0, "a\r\nb")))]);
    assert_eq!(aligned("東京都と京都", &[quote("京都")]), [(Ambiguous, Some((3, "京都")))]);
    assert_eq!(aligned("גר בתל אביב היום", &[quote("תל אביב")]).len(), 1);
}

/// Texts of many scripts with what makes offsets go wrong, whose words may occur again.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let words = vec![
        "Anna",
        "anna",
        "ROME",
        "é",
        "e\u{301}t",
        "👩‍🔬",
        "🇩🇰",
        "漢字",
        "東京",
        "שלום",
        "عربى",
        "\r\n",
        "a",
        "-",
        "Straße",
        "ﬁn",
        "서울",
        "co\u{ad}op",
    ];
    prop::collection::vec(prop::sample::select(words).prop_map(str::to_owned), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn every_word_quoted_in_order_stands_where_it_was_taken_from(words in texts()) {
        let text = words.join(" ");
        let (mut at, mut starts, mut quotes) = (0, Vec::new(), Vec::new());
        for word in &words {
            if !word.trim().is_empty() {
                starts.push(at);
                quotes.push(quote(word));
            }
            at += word.len() + 1;
        }
        for ((found, start), quote) in Ground::new(&text).align(&quotes).iter().zip(starts).zip(&quotes) {
            // A word may also stand inside another; it is never placed elsewhere without saying so.
            let span = found.span.unwrap();
            if found.status != Ambiguous {
                prop_assert_eq!((found.status, span.start(), span.quote(&text)), (Exact, start, quote.text.as_str()));
            }
        }
    }

    #[test]
    fn whatever_is_quoted_spans_lie_between_characters_and_read_like_the_quote(
        words in texts(), quoted in prop::collection::vec("\\PC{0,6}|[a-zé漢👩\u{200d}🔬\u{301} ]{1,8}", 0..8), picks in prop::collection::vec((0usize..200, 1usize..9), 0..8),
    ) {
        let text = words.join(" ");
        let letters: Vec<char> = text.chars().collect();
        let mut quotes: Vec<Quote> = quoted.iter().map(|words| quote(words)).collect();
        for (from, length) in picks {
            let from = from % letters.len();
            quotes.push(quote(&letters[from..(from + length).min(letters.len())].iter().collect::<String>()));
        }
        let edges: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
        for (found, quote) in Ground::new(&text).align(&quotes).iter().zip(&quotes) {
            prop_assert_eq!(found.span.is_none(), found.status == Ungrounded);
            prop_assert_eq!(found.edits > 0, found.edits > 0 && matches!(found.status, Fuzzy | Ambiguous));
            if let Some(span) = found.span {
                prop_assert!(edges.contains(&span.start()) && edges.contains(&span.end()));
                if found.status == Exact {
                    prop_assert_eq!(span.quote(&text), quote.text.trim());
                }
            }
        }
    }
}
