//! Tag sets, constrained decoding, and entities.
#![allow(clippy::unwrap_used)] // the helpers of tests are tests too

use nomen_model::{
    decode::{DecodeError, Path, TagSet, TagSetError, best_path, entities, recognize},
    text::{EncodedText, Window},
};
use proptest::prelude::*;
use schema::{Label, Schema, Span};

fn tags(names: &[&str]) -> TagSet {
    TagSet::from_names(names.iter().copied()).unwrap()
}

const SETS: [&[&str]; 8] = [
    &["O", "B-A", "I-A", "B-B", "I-B"],
    &["I-A", "O", "B-A", "I-B"],
    &["O", "B-A", "I-A", "E-A", "S-A", "S-B"],
    &["O", "B-A", "I-A", "L-A", "U-A"],
    &["O", "I-A", "E-A", "I-B", "E-B"],
    &["O", "A", "B"],
    &["O", "I-A", "I-B"],
    &["MISC", "B-A", "I-A", "O"],
];

fn is_legal(set: &TagSet, path: &[u32]) -> bool {
    let edges = [None].into_iter().chain(path.iter().copied().map(Some)).chain([None]);
    edges.clone().zip(edges.skip(1)).all(|(previous, next)| set.allows(previous, next))
}

/// Every sequence of `len` tags, by counting in base `tags`.
fn all_paths(tags: usize, len: usize) -> impl Iterator<Item = Vec<u32>> {
    (0..tags.pow(len as u32)).map(move |mut number| {
        (0..len)
            .map(|_| {
                let tag = number % tags;
                number /= tags;
                tag as u32
            })
            .collect()
    })
}

fn score(path: &[u32], logits: &[f32], width: usize) -> f64 {
    path.iter().zip(logits.chunks_exact(width)).map(|(tag, row)| f64::from(row[*tag as usize])).sum()
}

#[test]
fn the_scheme_follows_from_the_names() {
    let follows = |names: &[&str], previous: &str, next: &str| {
        let set = tags(names);
        let id = |name: &str| set.names().iter().position(|known| known == name).map(|id| id as u32);
        set.allows(id(previous), id(next))
    };
    assert!(!follows(SETS[0], "O", "I-A"), "IOB2");
    assert!(!follows(SETS[0], "", "I-A"), "IOB2");
    assert!(!follows(SETS[0], "B-B", "I-A"), "IOB2");
    assert!(follows(SETS[1], "O", "I-B"), "IOB1, because B has no B-B");
    assert!(!follows(SETS[2], "B-A", "O"), "IOBES");
    assert!(!follows(SETS[2], "I-A", ""), "IOBES");
    assert!(!follows(SETS[3], "O", "L-A"), "BILOU");
    assert!(!follows(SETS[4], "I-A", "O"), "IOE2");
    assert!(follows(SETS[4], "O", "E-A"), "IOE2");
    assert!(follows(SETS[6], "I-A", "I-B"), "plain");
    assert!(follows(SETS[7], "B-A", "MISC") && follows(SETS[7], "MISC", "B-A"), "plain beside IOB2");
    assert!(!follows(SETS[7], "MISC", "I-A"), "plain beside IOB2");
}

#[test]
fn names_that_are_no_tag_set_are_refused_with_the_way_out() {
    let missing = TagSet::from_names(["LABEL_0", "LABEL_1"]).unwrap_err();
    assert!(missing.to_string().contains("LABEL_0, LABEL_1") && missing.to_string().contains("id2label"));
    assert_eq!(TagSet::from_names(["O", "B-A", "B-A"]).unwrap_err(), TagSetError::Twice("B-A".to_owned()));
    assert!(matches!(TagSet::from_names(["O", "S-A", "U-A"]), Err(TagSetError::Mixed(..))));
    assert!(matches!(TagSet::from_names(["O", " "]), Err(TagSetError::Label { .. })));
    assert!(TagSet::from_names(Vec::<String>::new()).is_err());
}

#[test]
fn a_schema_becomes_iob2_in_its_order() {
    let label = |name| Label::new(name).unwrap();
    let set = TagSet::for_schema(&Schema::of_labels([label("creative-work"), label("B-cell")]));
    assert_eq!(set.names(), ["O", "B-creative-work", "I-creative-work", "B-B-cell", "I-B-cell"]);
    assert_eq!(set.labels(), [label("creative-work"), label("B-cell")]);
    assert_eq!((set.outside(), set.label(4), set.label(0)), (0, Some(&label("B-cell")), None));
}

#[test]
fn the_best_path_is_the_best_of_all_legal_ones() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for names in SETS {
        let set = tags(names);
        for len in 0..=4 {
            let strategy = proptest::collection::vec(-4.0_f32..4.0, len * set.len());
            runner
                .run(&strategy, |logits| {
                    let path = best_path(&set, len, &logits).unwrap();
                    prop_assert!(is_legal(&set, &path.tags));
                    let legal = all_paths(set.len(), len).filter(|path| is_legal(&set, path));
                    let best = legal.map(|path| score(&path, &logits, set.len())).fold(f64::NEG_INFINITY, f64::max);
                    prop_assert!((score(&path.tags, &logits, set.len()) - best).abs() < 1e-6);
                    Ok(())
                })
                .unwrap();
        }
    }
}

#[test]
fn where_the_best_tags_are_legal_they_are_the_best_path() {
    // The shortcut of the decoder: no legal path can beat the best tag at every slot.
    for names in SETS {
        let set = tags(names);
        for path in all_paths(set.len(), 4).filter(|path| is_legal(&set, path)) {
            let logits: Vec<f32> =
                path.iter().flat_map(|best| (0..set.len() as u32).map(move |tag| f32::from(tag == *best))).collect();
            assert_eq!(best_path(&set, 4, &logits).unwrap().tags, path);
        }
    }
}

proptest! {
    #[test]
    fn no_impossible_sequence_comes_out(
        set in 0..SETS.len(),
        raw in proptest::collection::vec(prop_oneof![-9.0_f32..9.0, Just(f32::MAX), Just(f32::MIN), Just(0.0)], 0..400),
    ) {
        let set = tags(SETS[set]);
        let slots = raw.len() / set.len();
        let logits = &raw[..slots * set.len()];
        let path = best_path(&set, slots, logits).unwrap();
        prop_assert!(is_legal(&set, &path.tags));
        prop_assert!(path.probabilities.iter().all(|probability| (0.0..=1.0).contains(probability)));
        let spans: Vec<Span> = (0..slots).map(|at| Span::new(2 * at, 2 * at + 1).unwrap()).collect();
        let found = entities(&set, &spans, &path);
        prop_assert!(found.windows(2).all(|pair| pair[0].span.end() <= pair[1].span.start()));
        let covered = found.iter().map(|entity| entity.span.len().div_ceil(2)).sum::<usize>();
        prop_assert_eq!(covered, path.tags.iter().filter(|tag| **tag != set.outside()).count());
    }
}

#[test]
fn probabilities_are_the_softmax_of_the_chosen_tags() {
    let set = tags(&["O", "B-A", "I-A"]);
    // The best tag of the second slot, I-A after O, is impossible; 3.0 + 1.0 beats 0.0 + 2.0 and 3.0 + 0.5.
    let path = best_path(&set, 2, &[3.0, 0.0, 0.0, 0.5, 1.0, 2.0]).unwrap();
    assert_eq!(path.tags, [0, 1]);
    let (e3, half, one, two) = (3.0_f32.exp(), 0.5_f32.exp(), 1.0_f32.exp(), 2.0_f32.exp());
    for (ours, expected) in path.probabilities.iter().zip([e3 / (e3 + 2.0), one / (half + one + two)]) {
        assert!((ours - expected).abs() < 1e-6);
    }
}

#[test]
fn logits_that_are_not_numbers_are_an_error() {
    let set = tags(&["O", "A"]);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = best_path(&set, 2, &[0.0, 0.0, 0.0, value]).unwrap_err();
        assert!(matches!(error, DecodeError::NotFinite { slot: 1, tag: 1, .. }));
    }
    assert_eq!(best_path(&set, 2, &[0.0; 3]), Err(DecodeError::Shape { logits: 3, slots: 2, tags: 2 }));
    assert_eq!(best_path(&set, 0, &[]), Ok(Path::default()));
}

#[test]
fn an_entity_reaches_from_its_first_slot_to_its_last_and_scores_their_mean() {
    let set = tags(&["O", "B-A", "I-A", "B-B", "I-B"]);
    let spans: Vec<Span> = [(0, 4), (5, 9), (9, 10), (11, 13), (14, 15)].map(|(s, e)| Span::new(s, e).unwrap()).into();
    let path = Path { tags: vec![1, 2, 1, 3, 0], probabilities: vec![0.5, 1.0, 0.25, 0.75, 1.0] };
    let found: Vec<_> =
        entities(&set, &spans, &path).into_iter().map(|e| (e.span.range(), e.label.to_string(), e.score)).collect();
    let expected = [(0..9, "A", 0.75), (9..10, "A", 0.25), (11..13, "B", 0.75)];
    assert_eq!(found, expected.map(|(range, label, score)| (range, label.to_owned(), Some(score))));
}

#[test]
fn an_undecided_slot_does_not_part_an_entity() {
    let set = tags(&["O", "B-A", "I-A"]);
    let slots: Vec<Span> = [(0, 4), (5, 6), (7, 9)].map(|(start, end)| Span::new(start, end).unwrap()).into();
    let windows = vec![Window { ids: vec![1, 7, 8, 2], decides: vec![(1, 0), (2, 2)] }];
    let encoded = EncodedText { slots, windows, undecided: vec![1], pieces: 2 };
    let found = recognize(&set, &encoded, &[0.0, 5.0, 0.0, 0.0, 0.0, 5.0]).unwrap();
    assert_eq!(found.iter().map(|entity| entity.span).collect::<Vec<_>>(), [Span::new(0, 9).unwrap()]);
}
