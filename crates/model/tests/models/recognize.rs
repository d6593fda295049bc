//! What is recognized in a text depends on the text and the model alone.

use std::num::NonZeroUsize;

use engine::Precision;
use nomen_model::{Bundle, Input, RecognitionError, Recognizer, Workers};
use proptest::prelude::*;
use schema::{Document, Recognize};

use crate::fixture::{ARCHITECTURES, Folder, Tensor, testdata};

const SENTENCE: &str = "Ada Lovelace wrote notes on the Analytical Engine in London, and nobody read them. ";

/// A random model whose head is levelled, so that every tag is chosen now and then.
fn recognizer(architecture: &str, threads: usize) -> Recognizer {
    recognizer_in(Precision::F32, architecture, threads)
}

fn recognizer_in(precision: Precision, architecture: &str, threads: usize) -> Recognizer {
    let workers = Workers::new(NonZeroUsize::new(threads).unwrap()).with_precision(precision);
    let mut bundle = Bundle::open(&testdata(architecture)).unwrap();
    let encoded = bundle.codec.encode(SENTENCE.into()).unwrap();
    let logits = workers.logits(&bundle.classifier, &bundle.codec, &[encoded]).remove(0);
    let tags = bundle.codec.tag_set().len();
    let head = bundle.classifier.bindings().iter().find(|binding| binding.name == "classifier.bias").unwrap().parameter;
    let bias = &mut bundle.classifier.parameters_mut().get_mut(head).values;
    for (tag, bias) in bias.iter_mut().enumerate() {
        let column = logits.iter().skip(tag).step_by(tags);
        *bias -= column.sum::<f32>() / (logits.len() / tags) as f32;
    }
    bundle.into_recognizer(workers)
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof!["[a-zA-Z]{1,9}", "[0-9.,]{1,4}", "\\PC{1,3}"];
    let text = prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "));
    prop::collection::vec(text, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn threads_and_company_change_nothing(
        texts in texts(),
        architecture in prop::sample::select(&ARCHITECTURES[..]),
        precision in prop::sample::select(&[Precision::F32, Precision::Int8][..]),
    ) {
        let recognizers = [1, 2, 3].map(|threads| recognizer_in(precision, architecture, threads));
        let alone: Vec<_> = texts.iter().map(|text| recognizers[0].recognize(&[text]).unwrap().remove(0)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for recognizer in &recognizers {
            let together = recognizer.recognize(&texts).unwrap();
            prop_assert_eq!(together.len(), texts.len());
            // To the last bit of every score.
            prop_assert_eq!(&together, &alone);
            // Threads share in the only text.
            prop_assert_eq!(&recognizer.recognize(&texts[..1]).unwrap()[0], &alone[0]);
        }
    }
}

#[test]
fn entities_lie_in_order_in_their_text_without_overlaps() {
    let text = SENTENCE.repeat(20);
    for architecture in ARCHITECTURES {
        let entities = recognizer(architecture, 2).recognize(&[&text]).unwrap().remove(0);
        assert!(!entities.is_empty(), "{architecture}: a random model finds something");
        assert!(entities.windows(2).all(|pair| pair[0].span.end() <= pair[1].span.start()));
        assert!(entities.iter().all(|entity| entity.span.quote(&text).trim() == entity.span.quote(&text)));
        assert!(entities.iter().all(|entity| (0.0..=1.0).contains(&entity.score.unwrap())));
    }
}

#[test]
fn a_text_of_a_hundred_thousand_characters_is_judged_to_its_end() {
    let text = SENTENCE.repeat(100_000_usize.div_ceil(SENTENCE.len()));
    for architecture in ["bert", "roberta", "camembert"] {
        let recognizer = recognizer(architecture, 2);
        let encoded = recognizer.bundle().codec.encode(Input::from(&*text)).unwrap();
        assert!(encoded.windows.len() > 100 && encoded.undecided.is_empty());
        let mut end = 0;
        for span in encoded.decided() {
            assert!(text[end..span.start()].trim().is_empty(), "{:?} is judged by nobody", &text[end..span.start()]);
            end = span.end();
        }
        assert!(text[end..].trim().is_empty());

        let alone = recognizer.recognize(&[&text]).unwrap().remove(0);
        let tenth = text.len() / 10;
        for part in 0..10 {
            let inside = alone.iter().filter(|entity| entity.span.start() / tenth == part);
            assert!(inside.count() > 0, "{architecture}: nothing in part {part}");
        }
        let company = recognizer.recognize(&["Paris", &text, "", SENTENCE]).unwrap();
        assert_eq!(company[1], alone);
    }
}

#[test]
fn texts_without_a_word_have_no_entities() {
    for architecture in ARCHITECTURES {
        let recognizer = recognizer(architecture, 2);
        assert!(recognizer.recognize(&[]).unwrap().is_empty());
        let blank = ["", " ", "   \t\r\n \u{a0}\u{3000} "];
        assert_eq!(recognizer.recognize(&blank).unwrap(), [const { Vec::new() }; 3], "{architecture}");
        let between = recognizer.recognize(&["", "Ada Lovelace wrote.", " "]).unwrap();
        assert!(between[0].is_empty() && between[2].is_empty());
        assert_eq!(between[1], recognizer.recognize(&["Ada Lovelace wrote."]).unwrap()[0]);
    }
}

#[test]
fn known_words_are_the_slots_of_a_document() {
    let words = [0..12, 13..18].map(|range| schema::Span::new(range.start, range.end).unwrap());
    let document = Document::new("Ada-Lovelace wrote").with_tokens(words.to_vec()).unwrap();
    for architecture in ARCHITECTURES {
        let entities = recognizer(architecture, 1).inputs(&[Input::from(&document)]).unwrap().remove(0);
        let edges = [0, 12, 13, 18];
        assert!(
            entities.iter().all(|entity| edges.contains(&entity.span.start()) && edges.contains(&entity.span.end()))
        );
    }
}

#[test]
fn weights_that_give_no_numbers_are_an_error_that_names_the_text() {
    let folder = Folder::of("bert");
    folder.weights(|tensors| {
        let bias = tensors.iter_mut().find(|tensor| tensor.name == "classifier.bias").unwrap();
        *bias = Tensor::f32("classifier.bias", &[5], &[0.0, f32::NAN, 0.0, 0.0, 0.0]);
    });
    let recognizer = Bundle::open(folder.path()).unwrap().into_recognizer(Workers::all());
    let error = recognizer.recognize(&["", "Ada Lovelace"]).unwrap_err();
    assert!(error.to_string().contains("text 1: ") && error.to_string().contains("NaN"), "{error}");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<RecognitionError>());
    assert!(matches!(source, Some(RecognitionError::Decode { index: 1, .. })), "{error:?}");
    // The threads' memory is whole again.
    assert!(recognizer.recognize(&[""]).is_ok());
}
