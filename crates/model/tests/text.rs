//! Tokenizing, windows, targets, and tokenizer files that mean harm.
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use nomen_model::{
    decode::TagSet,
    text::{Alignment, EncodedText, Pieces, Reason, SlotTarget, Template, Tokenizer, Windowing, encode, targets},
};
use proptest::prelude::*;
use schema::{
    Document, Entity, Label, Schema, Span,
    offset::{Offsets, Unit},
};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

const ARCHITECTURES: [&str; 6] = ["bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra"];

const AWKWARD: [&str; 12] = [
    "",
    " \t\r\n",
    "family \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} and \u{1f44d}\u{1f3fd}!",
    "flags \u{1f1e9}\u{1f1f0}\u{1f1eb}\u{1f1f7} heart \u{2764}\u{fe0f}",
    "e\u{301}e\u{301}\u{302}\u{303} Z\u{351}\u{36b}\u{343}algo",
    "line one\r\nline two\r\n\r\n",
    "nul\u{0}inside \u{0} alone \u{1}\u{2}",
    "\u{6771}\u{4eac}\u{306e}\u{99c5}\u{3067}\u{3002}\u{5317}\u{4eac}Library",
    "\u{feff}bom zero\u{200b}width soft\u{ad}hyphen",
    "\u{fdfa} \u{fb01}nd \u{bd} \u{ff26}\u{ff55}\u{ff4c}\u{ff4c} \u{130}stanbul \u{1e9e}",
    "\u{1112}\u{1161}\u{11ab} \u{304b}\u{3099} \u{e2a}\u{e27}\u{e31}",
    "</s><s>[SEP] <mask> [CLS]",
];

fn testdata(architecture: &str, file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata", architecture, file].iter().collect()
}

fn tokenizer(architecture: &str) -> Tokenizer {
    Tokenizer::from_file(&testdata(architecture, "tokenizer.json")).unwrap()
}

fn file(architecture: &str) -> Value {
    serde_json::from_slice(&std::fs::read(testdata(architecture, "tokenizer.json")).unwrap()).unwrap()
}

fn load(file: &Value) -> Result<Tokenizer, String> {
    Tokenizer::from_json(serde_json::to_vec(file).unwrap()).map_err(|error| error.to_string())
}

fn wide(tokenizer: &Tokenizer) -> Windowing {
    tokenizer.windowing(512, 64).unwrap()
}

fn quotes<'t>(text: &'t str, encoded: &EncodedText) -> Vec<&'t str> {
    encoded.slots.iter().map(|slot| slot.quote(text)).collect()
}

fn words(text: &str) -> Vec<Span> {
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split(' ').map(|word| Span::of(text, start(word)..start(word) + word.len()).unwrap()).collect()
}

/// The piece that is nothing but a space.
fn space(architecture: &str) -> Option<u64> {
    let vocabulary = &file(architecture)["model"]["vocab"];
    let position = || vocabulary.as_array()?.iter().position(|entry| entry[0] == "\u{2581}");
    vocabulary["\u{120}"].as_u64().or_else(|| position().map(|at| at as u64))
}

#[test]
fn ids_and_offsets_equal_those_of_transformers() {
    for architecture in ARCHITECTURES {
        let tokenizer = tokenizer(architecture);
        let gold = std::fs::read(testdata(architecture, "tokenization.json")).unwrap();
        let gold: Vec<Value> = serde_json::from_slice(&gold).unwrap();
        assert!(gold.len() > 30);
        let space = space(architecture);
        for row in gold {
            let text = row["text"].as_str().unwrap();
            let pieces = tokenizer.pieces(text, None).unwrap();
            let Template { prefix, suffix } = tokenizer.template();
            let ids: Vec<u32> = prefix.iter().chain(&pieces.ids).chain(suffix).copied().collect();
            assert_eq!(json!(ids), row["ids"], "{architecture} {text:?}");

            let offsets = Offsets::new(text, Unit::CodePoints);
            let theirs = row["offsets"].as_array().unwrap();
            let theirs = &theirs[prefix.len()..theirs.len() - suffix.len()];
            for (index, (ours, theirs)) in pieces.spans.iter().zip(theirs).enumerate() {
                let at = |side: usize| offsets.to_byte(theirs[side].as_u64().unwrap() as usize).unwrap();
                // White space may lead a span there; here a span takes what was dropped of its last cluster.
                let trimmed = text[at(0)..at(1)].trim();
                let start = at(0) + text[at(0)..at(1)].find(trimmed).unwrap();
                let theirs = start..start + trimmed.len();
                match ours {
                    Some(ours) => {
                        assert_eq!(ours.start(), theirs.start, "{architecture} {text:?} piece {index}");
                        let last = text[theirs.start..].graphemes(true).scan(theirs.start, |end, cluster| {
                            *end += cluster.len();
                            Some(*end)
                        });
                        let whole = last.into_iter().find(|end| *end >= theirs.end).unwrap();
                        assert!((theirs.end..=whole).contains(&ours.end()), "{architecture} {text:?} piece {index}");
                    }
                    // A space of its own that was put before the text lies over the first character there.
                    None => assert!(
                        trimmed.is_empty() || Some(u64::from(pieces.ids[index])) == space,
                        "{architecture} {text:?} piece {index}"
                    ),
                }
            }
        }
    }
}

#[test]
fn slots_are_whole_characters_in_order_without_overlap() {
    for architecture in ARCHITECTURES {
        let tokenizer = tokenizer(architecture);
        for (text, alignment) in AWKWARD.iter().flat_map(|text| [(text, Alignment::Word), (text, Alignment::Piece)]) {
            let encoded = tokenizer.encode(text, None, alignment, &wide(&tokenizer)).unwrap();
            let mut end = 0;
            for slot in &encoded.slots {
                assert_eq!(Span::of(text, slot.range()), Ok(*slot), "{architecture} {text:?}");
                assert_eq!(slot.quote(text), slot.quote(text).trim(), "{architecture} {text:?}");
                assert!(slot.start() >= end, "{architecture} {text:?}");
                end = slot.end();
            }
            assert!(encoded.undecided.is_empty());
        }
    }
}

#[test]
fn every_letter_of_awkward_texts_is_in_a_slot() {
    for architecture in ARCHITECTURES {
        let tokenizer = tokenizer(architecture);
        for (text, alignment) in AWKWARD.iter().flat_map(|text| [(text, Alignment::Word), (text, Alignment::Piece)]) {
            let encoded = tokenizer.encode(text, None, alignment, &wide(&tokenizer)).unwrap();
            for (at, letter) in text.char_indices().filter(|(_, character)| character.is_alphanumeric()) {
                let covered = encoded.slots.iter().any(|slot| slot.range().contains(&at));
                assert!(covered, "{architecture} {alignment:?} {text:?}: {letter:?} at {at}");
            }
        }
    }
}

#[test]
fn punctuation_stands_alone_whatever_the_tokenizer() {
    let text = "Anna Lindgren (Lyon), the harbour.";
    let expected = ["Anna", "Lindgren", "(", "Lyon", ")", ",", "the", "harbour", "."];
    for architecture in ARCHITECTURES {
        let tokenizer = tokenizer(architecture);
        let encoded = tokenizer.encode(text, None, Alignment::Word, &wide(&tokenizer)).unwrap();
        assert_eq!(quotes(text, &encoded), expected, "{architecture}");
    }
}

#[test]
fn known_words_are_the_slots_and_their_first_pieces_decide() {
    let text = "Anna-Maria moved (to) Lyon.";
    let words = words(text);
    for architecture in ARCHITECTURES {
        let tokenizer = tokenizer(architecture);
        let encoded = tokenizer.encode(text, Some(&words), Alignment::Word, &wide(&tokenizer)).unwrap();
        assert_eq!(encoded.slots, words, "{architecture}");
        let [window] = encoded.windows.as_slice() else { panic!("one window") };
        let pieces = tokenizer.pieces(text, Some(&words)).unwrap();
        assert_eq!(window.decides.len(), words.len());
        for (row, slot) in &window.decides {
            let piece = *row as usize - tokenizer.template().prefix.len();
            assert!(pieces.starts_word(piece) && pieces.words[piece] == *slot, "{architecture}");
        }
    }
}

#[test]
fn a_known_word_is_cut_the_same_wherever_it_stands() {
    let text = "Lyon Lyon";
    for architecture in ARCHITECTURES {
        let pieces = tokenizer(architecture).pieces(text, Some(&words(text))).unwrap();
        let (first, second) = pieces.ids.split_at(pieces.len() / 2);
        assert_eq!(first, second, "{architecture}");
    }
    // Without a space before it, a byte-level tokenizer would take the first word for the rest of another.
    let mut file = file("roberta");
    file["pre_tokenizer"]["add_prefix_space"] = false.into();
    let without = load(&file).unwrap();
    assert_eq!(without.pieces(text, Some(&words(text))), tokenizer("roberta").pieces(text, Some(&words(text))));
    assert_ne!(without.pieces(text, None).unwrap().ids, without.pieces(text, Some(&words(text))).unwrap().ids);
}

#[test]
fn a_known_word_without_pieces_keeps_its_place_and_is_listed() {
    let tokenizer = tokenizer("bert");
    let text = "Anna \u{1} Lyon";
    let words = words(text);
    for alignment in [Alignment::Word, Alignment::Piece] {
        let encoded = tokenizer.encode(text, Some(&words), alignment, &wide(&tokenizer)).unwrap();
        assert_eq!(encoded.decided().next().unwrap().start(), 0);
        if alignment == Alignment::Word {
            assert_eq!((encoded.slots.as_slice(), encoded.undecided.as_slice()), (words.as_slice(), &[1][..]));
            assert_eq!(encoded.decided().collect::<Vec<_>>(), [words[0], words[2]]);
        }
    }
    let nothing = tokenizer.encode("\u{1}", Some(&[Span::new(0, 1).unwrap()]), Alignment::Word, &wide(&tokenizer));
    let nothing = nothing.unwrap();
    assert_eq!((nothing.windows.len(), nothing.undecided.as_slice()), (0, &[0][..]));
}

#[test]
fn a_text_is_never_cut_or_padded_whatever_the_file_says() {
    let mut changed = file("bert");
    changed["truncation"] = json!({"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"});
    changed["padding"] = json!({"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    let text = "Anna Lindgren moved from Aarhus to Lyon.";
    assert_eq!(load(&changed).unwrap().pieces(text, None), tokenizer("bert").pieces(text, None));
}

#[test]
fn a_long_text_is_covered_from_its_first_to_its_last_character() {
    let mut text = "Anna Lindgren ".to_owned();
    while text.len() < 100_000 {
        text.push_str("The old harbour is near the sea, and the boats are out; rain again. ");
        if (50_000..50_068).contains(&text.len()) {
            text.push_str("Lyon ");
        }
    }
    text.push_str("K\u{f8}benhavn");
    for architecture in ARCHITECTURES {
        let tokenizer = tokenizer(architecture);
        for alignment in [Alignment::Word, Alignment::Piece] {
            let windowing = tokenizer.windowing(128, 32).unwrap();
            let encoded = tokenizer.encode(&text, None, alignment, &windowing).unwrap();
            assert_eq!(encoded.decided().collect::<Vec<_>>(), encoded.slots);
            let mut covered = vec![false; text.len()];
            encoded.slots.iter().for_each(|slot| covered[slot.range()].fill(true));
            let gap = text.bytes().zip(&covered).position(|(byte, covered)| byte != b' ' && !covered);
            assert_eq!(gap, None, "{architecture} {alignment:?}");

            let planted = ["Anna Lindgren", "Lyon", "K\u{f8}benhavn"].map(|name| {
                let start = text.find(name).unwrap();
                Entity::new(Span::of(&text, start..start + name.len()).unwrap(), Label::new("NAME").unwrap())
            });
            let document = Document::new(text.clone()).with_entities(planted.to_vec()).unwrap();
            let wanted = targets(&document, &encoded, &names());
            assert_eq!(wanted.unreachable, []);
        }
    }
}

fn names() -> TagSet {
    TagSet::for_schema(&Schema::of_labels([Label::new("NAME").unwrap(), Label::new("PLACE").unwrap()]))
}

/// `entities` as label and byte range.
fn document(text: &str, entities: &[(&str, std::ops::Range<usize>)]) -> Document {
    let entity = |(label, range): &(&str, std::ops::Range<usize>)| {
        Entity::new(Span::of(text, range.clone()).unwrap(), Label::new(label).unwrap())
    };
    Document::new(text).with_entities(entities.iter().map(entity).collect()).unwrap()
}

/// Tag names a slot (`?` where nothing is known, `-` where it is of a label that nobody looked for, or `O`), and why which entities are out of reach.
fn wanted(document: &Document) -> (Vec<&'static str>, Vec<(usize, Reason)>) {
    let tokenizer = tokenizer("bert");
    let encoded = tokenizer.encode(document.text(), document.tokens(), Alignment::Word, &wide(&tokenizer)).unwrap();
    let targets = targets(document, &encoded, &names());
    let known = ["O", "B-NAME", "I-NAME", "B-PLACE", "I-PLACE"];
    let name = |target: &SlotTarget| match target {
        SlotTarget::Unknown => "?",
        SlotTarget::Tag(id) => known[*id as usize],
        SlotTarget::NotLookedFor => "-",
    };
    let tags = targets.slots.iter().map(name).collect();
    (tags, targets.unreachable.iter().map(|lost| (lost.entity, lost.reason)).collect())
}

#[test]
fn targets_follow_the_characters() {
    let text = "Anna Lindgren left Lyon.";
    let document = document(text, &[("NAME", 0..13), ("PLACE", 19..23)]);
    assert_eq!(wanted(&document), (vec!["B-NAME", "I-NAME", "O", "B-PLACE", "O"], vec![]));
}

#[test]
fn an_entity_that_cuts_a_word_is_listed_and_trained_on_that_word() {
    let document = document("Lyons and Anna ", &[("PLACE", 0..4), ("NAME", 10..15)]);
    let expected = vec![(0, Reason::Edge), (1, Reason::Edge)];
    assert_eq!(wanted(&document), (vec!["B-PLACE", "O", "B-NAME"], expected));
}

#[test]
fn a_word_with_two_entities_goes_to_the_larger() {
    let document = document("AnnaLyons", &[("NAME", 0..4), ("PLACE", 4..9)]);
    assert_eq!(wanted(&document), (vec!["B-PLACE"], vec![(0, Reason::Shared), (1, Reason::Edge)]));
}

#[test]
fn entities_of_dropped_characters_and_unknown_labels_are_listed() {
    let document = document("\u{1} Anna Lyon", &[("NAME", 0..1), ("ANIMAL", 2..6)]);
    let expected = vec![(0, Reason::NoPiece), (1, Reason::UnknownLabel)];
    assert_eq!(wanted(&document), (vec!["?", "O"], expected));
}

#[test]
fn an_undecided_word_inside_an_entity_does_not_part_it_but_one_at_its_end_puts_it_out_of_reach() {
    let text = "Anna \u{1} Lindgren \u{1} left";
    let inside = document(text, &[("NAME", 0..15)]).with_tokens(words(text)).unwrap();
    assert_eq!(wanted(&inside), (vec!["B-NAME", "?", "I-NAME", "?", "O"], vec![]));
    let at_end = document(text, &[("NAME", 0..17)]).with_tokens(words(text)).unwrap();
    assert_eq!(wanted(&at_end), (vec!["B-NAME", "?", "I-NAME", "?", "O"], vec![(0, Reason::Edge)]));
}

#[test]
fn words_without_a_label_are_unknown_where_not_everything_was_annotated() {
    let mut document = document("Anna left Lyon", &[("NAME", 0..4)]);
    assert_eq!(wanted(&document).0, ["B-NAME", "O", "O"]);
    document.looked_for = Some(vec![Label::new("NAME").unwrap(), Label::new("PLACE").unwrap()]);
    assert_eq!(wanted(&document).0, ["B-NAME", "O", "O"]);
    document.looked_for = Some(vec![Label::new("NAME").unwrap()]);
    assert_eq!(wanted(&document).0, ["B-NAME", "-", "-"]);
    let tokenizer = tokenizer("bert");
    let encoded = tokenizer.encode(document.text(), None, Alignment::Word, &wide(&tokenizer)).unwrap();
    assert_eq!(targets(&document, &encoded, &names()).not_looked_for, [0, 3, 4], "O and the tags of PLACE");
    document.looked_for = None;
    document.partial = true;
    assert_eq!(wanted(&document).0, ["B-NAME", "?", "?"]);
}

#[test]
fn touching_entities_of_a_label_are_out_of_reach_for_tags_without_a_beginning() {
    let text = "Anna Lyon";
    let document = document(text, &[("NAME", 0..4), ("NAME", 5..9)]);
    let tokenizer = tokenizer("bert");
    let encoded = tokenizer.encode(text, None, Alignment::Word, &wide(&tokenizer)).unwrap();
    let plain = TagSet::from_names(["O", "NAME"]).unwrap();
    let reasons: Vec<_> = targets(&document, &encoded, &plain).unreachable.iter().map(|lost| lost.reason).collect();
    assert_eq!(reasons, [Reason::Tags, Reason::Tags]);
    assert_eq!(targets(&document, &encoded, &names()).unreachable, []);
}

/// Pieces of one letter each; `lens` are the lengths of the words.
fn letters(lens: &[usize]) -> Pieces {
    let words: Vec<u32> = lens.iter().zip(0..).flat_map(|(len, word)| vec![word; *len]).collect();
    let spans = (0..words.len()).map(|at| Span::new(at, at + 1).ok()).collect();
    Pieces { ids: (100..).take(words.len()).collect(), spans, words }
}

proptest! {
    #[test]
    fn every_slot_is_decided_once_in_the_window_with_most_context(
        lens in proptest::collection::vec(1_usize..12, 0..60),
        capacity in 1_usize..20,
        stride in 0_usize..20,
        by_piece in any::<bool>(),
    ) {
        let stride = stride % capacity;
        let pieces = letters(&lens);
        let template = Template { prefix: vec![1, 2], suffix: vec![3] };
        let windowing = Windowing::new(template, capacity + 3, stride).unwrap();
        let alignment = if by_piece { Alignment::Piece } else { Alignment::Word };
        let encoded = encode(&pieces, None, alignment, &windowing);
        prop_assert_eq!(encoded.slots.len(), if by_piece { pieces.len() } else { lens.len() });
        let decided: Vec<u32> = encoded.windows.iter().flat_map(|window| &window.decides).map(|(_, slot)| *slot).collect();
        prop_assert_eq!(decided, (0..encoded.slots.len() as u32).collect::<Vec<_>>());

        let len = pieces.len();
        let mut ranges = Vec::new();
        for window in &encoded.windows {
            prop_assert!(window.ids.len() <= capacity + 3);
            prop_assert!(!window.decides.is_empty());
            prop_assert_eq!(&window.ids[..2], &[1, 2]);
            prop_assert_eq!(window.ids.last(), Some(&3));
            let start = window.ids[2] as usize - 100;
            let end = start + window.ids.len() - 3;
            prop_assert_eq!(&window.ids[2..window.ids.len() - 1], &pieces.ids[start..end]);
            for (row, slot) in &window.decides {
                // The deciding piece of a slot is the one at its start.
                prop_assert_eq!(window.ids[*row as usize] as usize - 100, encoded.slots[*slot as usize].start());
            }
            let longest = lens.iter().copied().max().unwrap_or(0);
            if longest <= capacity {
                prop_assert!(pieces.starts_word(start));
                prop_assert!(end == len || pieces.starts_word(end));
            }
            ranges.push(start..end);
        }
        let context = |range: &std::ops::Range<usize>, piece: usize| {
            let before = if range.start == 0 { usize::MAX } else { piece - range.start };
            let after = if range.end == len { usize::MAX } else { range.end - 1 - piece };
            before.min(after)
        };
        for (window, range) in encoded.windows.iter().zip(&ranges) {
            for (_, slot) in &window.decides {
                let piece = encoded.slots[*slot as usize].start();
                let most = ranges.iter().filter(|other| other.contains(&piece)).map(|other| context(other, piece)).max();
                prop_assert_eq!(Some(context(range, piece)), most);
            }
        }
        for pair in ranges.windows(2) {
            prop_assert!(pair[0].start < pair[1].start && pair[0].end < pair[1].end);
            if by_piece {
                prop_assert!(pair[1].start <= pair[0].end && pair[0].end - pair[1].start <= stride);
            }
        }
    }

    #[test]
    fn any_text_is_encoded_with_every_slot_decided(text in any::<String>(), known in any::<bool>()) {
        for architecture in ["bert", "roberta", "xlm-roberta"] {
            let tokenizer = tokenizer(architecture);
            let spans: Vec<Span> = text.char_indices().filter_map(|(at, c)| Span::new(at, at + c.len_utf8()).ok()).collect();
            let words = known.then_some(spans.as_slice());
            let windowing = tokenizer.windowing(10, 3).unwrap();
            let encoded = tokenizer.encode(&text, words, Alignment::Word, &windowing).unwrap();
            prop_assert_eq!(encoded.decided().count() + encoded.undecided.len(), encoded.slots.len());
            prop_assert!(encoded.slots.iter().all(|slot| Span::of(&text, slot.range()).is_ok()));
            let listed = tokenizer.list(&text, &windowing).unwrap();
            prop_assert_eq!(listed.pieces.len(), tokenizer.pieces(&text, None).unwrap().len());
            prop_assert!(listed.pieces.iter().all(|piece| text.get(piece.range.clone()).is_some()));
            prop_assert_eq!(listed.windows.iter().map(|window| window.decides.len()).sum::<usize>(), listed.pieces.len());
        }
    }
}

#[test]
fn windows_without_room_are_refused() {
    let tokenizer = tokenizer("bert");
    assert!(tokenizer.windowing(2, 0).unwrap_err().to_string().contains("raise max_length"));
    assert!(tokenizer.windowing(10, 8).unwrap_err().to_string().contains("lower stride"));
    assert!(tokenizer.windowing(10, 7).is_ok());
}

/// Loads a hostile file; the message of its refusal, which must come within a second.
fn refused(file: &Value) -> String {
    let json = serde_json::to_vec(file).unwrap();
    let started = Instant::now();
    let message = Tokenizer::from_json(json).expect_err("a hostile file is refused").to_string();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}: {message:.200}", started.elapsed());
    message
}

fn byte_pairs(vocabulary: &Value, merges: &Value) -> Value {
    json!({"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}})
}

#[test]
fn merges_longer_than_the_vocabulary_are_refused() {
    let a = "a".repeat(600);
    for merges in
        [json!([["a", "b"]]), json!(["a b"]), json!([[a, a]]), json!([["a"]]), json!([["a", "b", "a"]]), json!([7])]
    {
        let message = refused(&byte_pairs(&json!({"a": 0, "b": 1, a.as_str(): 2}), &merges));
        assert!(message.contains("model.merges[0]"), "{message}");
    }
    let mut prefixed = byte_pairs(&json!({"a": 0, "##b": 1, "ab": 2, "c": 3}), &json!([["a", "##b"]]));
    prefixed["model"]["continuing_subword_prefix"] = "##".into();
    assert!(load(&prefixed).is_ok());
    prefixed["model"]["merges"] = json!([["a", "c"]]);
    assert!(refused(&prefixed).contains("prefix"));
}

#[test]
fn entries_that_exhaust_the_stack_are_refused() {
    let long = "a".repeat(4 << 20);
    let unigram = json!({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], [long, -1.0]]}});
    assert!(refused(&unigram).contains("model.vocab"));
    assert!(refused(&byte_pairs(&json!({long.as_str(): 0}), &json!([]))).contains("model.vocab"));
    let added = json!({"id": 0, "content": long, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true});
    let mut file = file("bert");
    file["added_tokens"] = json!([added]);
    assert!(refused(&file).contains("added_tokens[0]"));
}

#[test]
fn the_longest_accepted_entry_can_be_dropped_on_a_small_stack() {
    let vocabulary = json!([["<unk>", 0.0], ["a".repeat(1024), -1.0]]);
    let tokenizer = load(&json!({"model": {"type": "Unigram", "unk_id": 0, "vocab": vocabulary}})).unwrap();
    let small = std::thread::Builder::new().stack_size(1 << 20);
    small.spawn(move || drop(tokenizer)).unwrap().join().unwrap();
}

#[test]
fn patterns_that_backtrack_are_refused() {
    for pattern in [r"(?=a)(a+)+$", r"(a|a)*\1", r"(?:a+)+(?<!b)c"] {
        let mut splits = file("bert");
        splits["pre_tokenizer"] =
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
        assert!(refused(&splits).contains("backtracking"));
        let mut replaces = file("bert");
        replaces["normalizer"] = json!({"type": "Sequence", "normalizers": [
            {"type": "Replace", "pattern": {"Regex": pattern}, "content": ""}]});
        assert!(refused(&replaces).contains("normalizer.normalizers[0]"));
    }
}

#[test]
fn steps_that_multiply_the_text_are_refused() {
    let double = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
    let empty = json!({"type": "Replace", "pattern": {"Regex": ""}, "content": "a".repeat(100)});
    let bytes = json!({"type": "ByteLevel"});
    for steps in [vec![double; 30], vec![empty], vec![bytes.clone(), bytes], vec![json!({"type": "NFC"}); 1000]] {
        let mut file = file("bert");
        file["normalizer"] = json!({"type": "Sequence", "normalizers": steps});
        assert!(refused(&file).starts_with("`normalizer"));
    }
}

#[test]
fn decoders_that_multiply_pieces_or_backtrack_are_refused() {
    let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
    for steps in [
        vec![replace(json!({"String": "a"}), "aa"); 30],
        vec![replace(json!({"Regex": r"(a|a)*\1"}), "")],
        vec![json!({"type": "BPEDecoder", "suffix": ""}); 30],
        vec![json!({"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": false}); 30],
        vec![json!({"type": "Fuse"}); 1000],
        vec![json!({"type": "Unheard"})],
    ] {
        let mut file = file("bert");
        file["decoder"] = json!({"type": "Sequence", "decoders": steps});
        assert!(refused(&file).starts_with("`decoder"), "{}", refused(&file));
    }
    let mut file = file("bert");
    // It takes more from a piece's end than there is, and breaks down where it is used.
    file["decoder"] = json!({"type": "Strip", "content": "a", "start": 0, "stop": 9});
    assert_eq!(load(&file).unwrap().words(&["aa", "b"]), "aa b");
}

#[test]
fn a_charsmap_that_lies_about_its_size_is_refused() {
    // 0xffffffff as the size of the table; a table of one entry whose text is longer than any character's form.
    for map in ["/////w==", "AA==", "not base64!", "AAAAAA==", &format!("BAAAAAAAAAB{}", "YWFh".repeat(400))] {
        let mut file = file("xlm-roberta");
        file["normalizer"] = json!({"type": "Precompiled", "precompiled_charsmap": map});
        assert!(refused(&file).contains("charsmap"), "{map:.20}");
    }
}

#[test]
fn malformed_files_are_refused() {
    let bert = file("bert");
    let mut cases: Vec<(Value, &str)> = vec![
        (json!([]), "expected an object"),
        (json!({}), "`model`"),
        (json!({"version": "2.0"}), "version"),
        (json!({"model": {"type": "Rot13"}}), "model.type"),
        (byte_pairs(&json!({"a": -1}), &json!([])), "model.vocab"),
        (byte_pairs(&json!({"a": 0}), &json!({})), "model.merges"),
        (json!({"model": {"type": "Unigram", "vocab": [["a", 0.0]]}}), "unk_id"),
    ];
    let mut change = |pointer: &str, value: Value, message: &'static str| {
        let mut changed = bert.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        cases.push((changed, message));
    };
    change("/model/unk_token", "[NOPE]".into(), "unk_token");
    change("/model/max_input_chars_per_word", 1_000_000_000.into(), "max_input_chars_per_word");
    change("/model/continuing_subword_prefix", "#".repeat(100).into(), "continuing_subword_prefix");
    change("/pre_tokenizer", json!({"type": "FixedLength", "length": 0}), "pre_tokenizer");
    change("/pre_tokenizer", json!({"type": "Unheard"}), "pre_tokenizer");
    change("/added_tokens", json!([{"id": 0}]), "added_tokens[0]");
    change("/post_processor/single", json!([]), "no place");
    change("/post_processor/single", json!([{"SpecialToken": {"id": "[NOPE]", "type_id": 0}}]), "built");
    let sequence = json!({"Sequence": {"id": "A", "type_id": 0}});
    change("/post_processor/single", json!([sequence, sequence]), "twice");
    change("/post_processor/single", json!([{"Sequence": {"id": "A", "type_id": 1}}]), "token types");
    let mut nested = json!({"type": "NFC"});
    for _ in 0..20 {
        nested = json!({"type": "Sequence", "normalizers": [nested]});
    }
    change("/normalizer", nested, "nested deeper");
    for (file, message) in cases {
        let found = refused(&file);
        assert!(found.contains(message), "expected {message}, found {found}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Tokenizer::from_json(deep.into_bytes()).unwrap_err().to_string().contains("not JSON"));
    let missing = Tokenizer::from_file(&testdata("bert", "no-such-file.json")).unwrap_err().to_string();
    assert!(missing.contains("no-such-file.json"));
}

#[test]
fn files_of_the_first_format_without_a_model_type_load() {
    for architecture in ["bert", "roberta", "xlm-roberta"] {
        let mut old = file(architecture);
        old["model"].as_object_mut().unwrap().remove("type");
        let text = "Anna moved to Lyon.";
        assert_eq!(load(&old).unwrap().pieces(text, None), tokenizer(architecture).pieces(text, None));
    }
}
