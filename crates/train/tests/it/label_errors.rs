//! Suspects by confident learning, on logits made by hand.

use model::decode::{DecodeError, TagSet};
use nomen_train::{LabelError, Verdict, label_errors};
use schema::{Document, Entity, Label, Span};

const TAGS: [&str; 5] = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
const O: u32 = 0;
const B_PER: u32 = 1;
const I_PER: u32 = 2;
const B_LOC: u32 = 3;
const I_LOC: u32 = 4;

fn tag_set() -> TagSet {
    TagSet::from_names(TAGS).unwrap()
}

/// Words of two letters with a space between them.
fn slots(count: usize) -> Vec<Span> {
    (0..count).map(|word| Span::new(3 * word, 3 * word + 2).unwrap()).collect()
}

fn entity(words: std::ops::Range<usize>, label: &str) -> Entity {
    Entity::new(Span::new(3 * words.start, 3 * words.end - 1).unwrap(), Label::new(label).unwrap())
}

/// A text whose annotation is `given`, and in which a model believes in the tags of `said` as much as told.
fn judged(given: &[u32], said: &[(u32, f32)]) -> (Document, Verdict) {
    let slots = slots(given.len());
    let text = vec!["ab"; given.len()].join(" ");
    let mut entities: Vec<Entity> = Vec::new();
    for (word, tag) in given.iter().enumerate() {
        match *tag {
            O => {}
            B_PER | B_LOC => entities.push(entity(word..word + 1, if *tag == B_PER { "PER" } else { "LOC" })),
            _ => {
                let last = entities.last_mut().unwrap();
                last.span = last.span.join(slots[word]);
            }
        }
    }
    // The rest of the probability is shared by the other tags.
    let row = |(tag, probability): &(u32, f32)| {
        let rest = (1.0 - probability) / 4.0;
        (0..5).map(|other| if other == *tag { probability.ln() } else { rest.ln() }).collect::<Vec<_>>()
    };
    let logits = said.iter().flat_map(row).collect();
    let given = given.iter().copied().map(Some).collect();
    (Document::new(text).with_entities(entities).unwrap(), Verdict { slots, given, logits, entities: Vec::new() })
}

fn found(judged: &[(Document, Verdict)]) -> Vec<LabelError> {
    let pairs: Vec<(&Document, &Verdict)> = judged.iter().map(|(document, verdict)| (document, verdict)).collect();
    label_errors(&tag_set(), &pairs).unwrap()
}

/// Texts in which the model says what is given, so that every tag has a threshold of about 0.9.
fn sound() -> Vec<(Document, Verdict)> {
    let tags = [O, B_PER, I_PER, O, B_LOC, I_LOC, O];
    (0..10).map(|_| judged(&tags, &tags.map(|tag| (tag, 0.9)))).collect()
}

#[test]
fn each_kind_of_error_is_found_where_it_is_and_the_surest_comes_first() {
    let mut texts = sound();
    texts.push(judged(&[B_PER, O], &[(B_LOC, 0.95), (O, 0.9)]));
    texts.push(judged(&[B_PER, O, O], &[(B_PER, 0.9), (I_PER, 0.99), (O, 0.9)]));
    texts.push(judged(&[O, O], &[(O, 0.9), (B_LOC, 0.97)]));
    texts.push(judged(&[O, B_LOC], &[(O, 0.9), (O, 0.93)]));
    let errors = found(&texts);
    let said: Vec<_> = errors
        .iter()
        .map(|error| {
            let suggested =
                error.suggested.iter().map(|entity| (entity.span, entity.label.as_str())).collect::<Vec<_>>();
            (error.document, error.given.clone(), suggested)
        })
        .collect();
    let of = |words, label| vec![(entity(words, label).span, label)];
    assert_eq!(
        said,
        [
            (11, vec![0], of(0..2, "PER")),
            (12, vec![], of(1..2, "LOC")),
            (10, vec![0], of(0..1, "LOC")),
            (13, vec![0], vec![]),
        ]
    );
    assert!(errors.iter().all(|error| error.is_likely && error.confidence > 0.95), "{errors:?}");
    assert!((errors[1].suggested[0].score.unwrap() - 0.97).abs() < 1e-3);
}

#[test]
fn what_the_model_says_as_it_is_given_is_no_error() {
    assert!(found(&sound()).is_empty());
}

#[test]
fn a_tag_that_the_model_is_never_sure_of_is_suspect_where_it_is_more_probable_than_usual() {
    // Wherever LOC is given the model gives it 0.45, and O more; without the thresholds it would be suggested nowhere.
    let mut texts: Vec<_> = (0..20).map(|_| judged(&[O, B_LOC], &[(O, 0.98), (B_LOC, 0.45)])).collect();
    let unsure = |document: &mut (Document, Verdict), loc: f32| {
        let row = &mut document.1.logits[5..];
        row.copy_from_slice(&[(0.98 - loc).ln(), 0.005_f32.ln(), 0.005_f32.ln(), loc.ln(), 0.01_f32.ln()]);
    };
    for text in &mut texts {
        unsure(text, 0.45);
    }
    let mut missed = judged(&[O, O], &[(O, 0.98), (O, 0.98)]);
    unsure(&mut missed, 0.47);
    texts.push(missed);
    let errors = found(&texts);
    assert_eq!(errors.iter().map(|error| error.document).collect::<Vec<_>>(), [20], "{errors:?}");
    let error = &errors[0];
    assert!(
        error.confidence < 0.5 && !error.is_likely,
        "more probable than usual, but the model is not sure: {error:?}"
    );
}

#[test]
fn where_nobody_looked_nothing_is_missed() {
    let mut texts = sound();
    let (mut document, mut verdict) = judged(&[O, B_PER, O], &[(B_LOC, 0.99), (B_LOC, 0.99), (O, 0.9)]);
    verdict.given[0] = None;
    verdict.given[2] = None;
    document.partial = true;
    texts.push((document, verdict));
    let errors = found(&texts);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((errors[0].given.as_slice(), errors[0].suggested[0].label.as_str()), (&[0][..], "LOC"));
}

#[test]
fn a_label_that_the_data_never_has_is_not_suggested() {
    let tags = [O, B_PER, O];
    let mut texts: Vec<_> = (0..10).map(|_| judged(&tags, &tags.map(|tag| (tag, 0.9)))).collect();
    texts.push(judged(&[O, O], &[(B_LOC, 0.99), (O, 0.9)]));
    assert!(found(&texts).is_empty());
}

#[test]
fn logits_that_are_no_numbers_or_too_few_are_refused() {
    let mut texts = sound();
    texts[3].1.logits[7] = f32::NAN;
    let pairs = |texts: &[(Document, Verdict)]| {
        let pairs: Vec<_> = texts.iter().map(|(document, verdict)| (document, verdict)).collect();
        label_errors(&tag_set(), &pairs)
    };
    assert!(matches!(pairs(&texts), Err(DecodeError::NotFinite { slot: 1, tag: 2, .. })));
    texts[3].1.logits.pop();
    assert!(matches!(pairs(&texts), Err(DecodeError::Shape { .. })));
    assert!(label_errors(&tag_set(), &[]).unwrap().is_empty());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Tags that IOB2 can write.
    fn legal(tags: Vec<u32>) -> Vec<u32> {
        let mut before = O;
        tags.into_iter()
            .map(|tag| {
                let continues = matches!((before, tag), (B_PER | I_PER, I_PER) | (B_LOC | I_LOC, I_LOC));
                before = if matches!(tag, I_PER | I_LOC) && !continues { tag - 1 } else { tag };
                before
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_suspect_says_something_else_than_is_given_and_the_order_is_that_of_confidence(
            texts in proptest::collection::vec((proptest::collection::vec(0u32..5, 1..8), proptest::collection::vec(-90.0f32..90.0, 40)), 1..12),
            unknown in 0usize..8,
        ) {
            let all: Vec<(Document, Verdict)> = texts.into_iter().map(|(given, logits)| {
                let given = legal(given);
                let said: Vec<(u32, f32)> = given.iter().map(|tag| (*tag, 0.5)).collect();
                let (document, mut verdict) = judged(&given, &said);
                verdict.logits.iter_mut().zip(&logits).for_each(|(logit, other)| *logit = *other);
                if let Some(tag) = verdict.given.get_mut(unknown) {
                    *tag = None;
                }
                (document, verdict)
            }).collect();
            let errors = found(&all);
            prop_assert!(errors.is_sorted_by(|a, b| a.confidence >= b.confidence));
            for error in &errors {
                let document = &all[error.document].0;
                prop_assert!((0.0..=1.0).contains(&error.confidence));
                prop_assert!(!error.given.is_empty() || !error.suggested.is_empty());
                let given: Vec<&Entity> = error.given.iter().map(|entity| &document.entities()[*entity]).collect();
                let is_same = given.len() == error.suggested.len()
                    && given.iter().zip(&error.suggested).all(|(given, suggested)| given.same_mention(suggested));
                prop_assert!(!is_same, "{error:?}");
            }
            prop_assert_eq!(&errors, &found(&all));
        }
    }
}
