//! What the model says of every piece, beside what it says where a piece decides for its word.

use std::num::NonZeroUsize;

use engine::Precision;
use nomen_model::{Bundle, JudgedPiece, RecognitionError, Recognizer, Workers};

use crate::fixture::{ARCHITECTURES, Folder, Tensor, testdata};

const SENTENCE: &str = "Ada Lovelace wrote caf\u{e9} notes \u{1f382}  on the Analytical Engine, and nobody read them. ";

fn recognizer(architecture: &str, threads: usize, precision: Precision) -> Recognizer {
    let workers = Workers::new(NonZeroUsize::new(threads).unwrap()).with_precision(precision);
    Bundle::open(&testdata(architecture)).unwrap().into_recognizer(workers)
}

fn ids_of(bundle: &Bundle, text: &str) -> usize {
    bundle.codec.tokenizer().pieces(text, None).unwrap().len()
}

#[test]
fn every_piece_of_a_long_text_is_listed_once_in_order_with_its_row() {
    let text = SENTENCE.repeat(20);
    for architecture in ARCHITECTURES {
        let recognizer = recognizer(architecture, 2, Precision::F32);
        let bundle = recognizer.bundle();
        let listed = bundle.codec.list(&text).unwrap();
        assert!(listed.windows.len() > 3, "{architecture}");
        assert_eq!(listed.pieces.len(), ids_of(bundle, &text));
        let decided = listed.windows.iter().flat_map(|window| &window.decides);
        for (position, ((row, piece), listed)) in decided.zip(&listed.pieces).enumerate() {
            assert_eq!((*piece as usize, *row as usize), (position, listed.index));
        }
        let mut start = 0;
        for piece in &listed.pieces {
            assert!(text.get(piece.range.clone()).is_some() && start <= piece.range.start, "{architecture}: {piece:?}");
            start = piece.range.start;
        }
        let judged = recognizer.pieces(&[&text]).unwrap().remove(0);
        assert_eq!(
            judged.iter().map(|judged| &judged.piece).collect::<Vec<_>>(),
            listed.pieces.iter().collect::<Vec<_>>()
        );
        for JudgedPiece { probabilities, .. } in &judged {
            assert_eq!(probabilities.len(), bundle.codec.tag_set().len());
            assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_deciding_piece_gets_the_tag_that_its_word_gets() {
    let text = SENTENCE.repeat(9);
    for architecture in ARCHITECTURES {
        let recognizer = recognizer(architecture, 1, Precision::F32);
        let bundle = recognizer.bundle();
        let (encoded, listed) = (bundle.codec.encode((&*text).into()).unwrap(), bundle.codec.list(&text).unwrap());
        let judged = recognizer.pieces(&[&text]).unwrap().remove(0);
        let logits = Workers::all().logits(&bundle.classifier, &bundle.codec, std::slice::from_ref(&encoded)).remove(0);
        let mut rows = logits.chunks_exact(bundle.codec.tag_set().len());
        let mut compared = 0;
        for window in &encoded.windows {
            let all = listed.windows.iter().find(|other| other.ids == window.ids).expect("the same windows");
            for (row, _) in &window.decides {
                let logits = rows.next().unwrap();
                let (_, piece) =
                    all.decides.iter().find(|(other, _)| other == row).expect("decided in the same window");
                let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
                for (logit, probability) in logits.iter().zip(&judged[*piece as usize].probabilities) {
                    assert!((logit.exp() / sum - probability).abs() < 1e-6, "{architecture}, piece {piece}");
                }
                compared += 1;
            }
        }
        assert!(compared > 50 && compared < judged.len());
    }
}

#[test]
fn threads_and_company_change_no_bit_of_a_piece() {
    let long = SENTENCE.repeat(12);
    let texts = ["Paris", &long, "", SENTENCE, " "];
    for precision in [Precision::F32, Precision::Int8] {
        let alone: Vec<_> =
            texts.iter().map(|text| recognizer("roberta", 1, precision).pieces(&[text]).unwrap().remove(0)).collect();
        for threads in [1, 2, 3] {
            assert_eq!(recognizer("roberta", threads, precision).pieces(&texts).unwrap(), alone);
        }
        assert!(alone[2].is_empty());
    }
}

#[test]
fn pieces_of_weights_that_give_no_numbers_are_an_error_that_names_the_text() {
    let folder = Folder::of("bert");
    folder.weights(|tensors| {
        let bias = tensors.iter_mut().find(|tensor| tensor.name == "classifier.bias").unwrap();
        *bias = Tensor::f32("classifier.bias", &[5], &[0.0, f32::NAN, 0.0, 0.0, 0.0]);
    });
    let recognizer = Bundle::open(folder.path()).unwrap().into_recognizer(Workers::all());
    let error = recognizer.pieces(&["", "Ada Lovelace"]).unwrap_err();
    assert!(matches!(error, RecognitionError::Decode { index: 1, .. }), "{error}");
}

#[test]
fn a_tokenizer_without_decoder_parts_pieces_by_spaces() {
    let folder = Folder::of("bert");
    let tokens = ["ha", "##rb", ","];
    let words = |folder: &Folder| Bundle::open(folder.path()).unwrap().codec.tokenizer().words(&tokens);
    assert_eq!(words(&folder), "harb,");
    folder.json("tokenizer.json", |file| file["decoder"] = serde_json::Value::Null);
    assert_eq!(words(&folder), "ha ##rb ,");
}
