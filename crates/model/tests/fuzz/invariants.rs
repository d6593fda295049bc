//! What must hold of the files of foreign models, whatever they are. Fuzzing looks for files that break it, and the test
//! beside this file replays those that fuzzing kept.
#![allow(clippy::unwrap_used)]

use std::fs;

use nomen_model::{
    text::{Alignment, Tokenizer},
    weights::Weights,
};
use schema::Span;

/// Scripts, runs, controls and a quoted special token.
const TEXTS: [&str; 4] =
    ["", "Ada Lovelace, é e\u{301} 👩‍🔬!\r\n", "東京 [SEP] </s>\t\u{0}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"];

/// A `tokenizer.json` is refused, or cuts texts into pieces that lie in them.
///
/// # Panics
/// It does neither.
pub fn tokenizer_holds(json: &[u8]) {
    let Ok(tokenizer) = Tokenizer::from_json(json.to_vec()) else { return };
    for text in TEXTS {
        let words: Vec<Span> =
            text.char_indices().filter_map(|(at, c)| Span::of(text, at..at + c.len_utf8()).ok()).collect();
        for words in [None, Some(&words[..])] {
            let Ok(pieces) = tokenizer.pieces(text, words) else { continue };
            assert_eq!(pieces.ids.len(), pieces.spans.len());
            assert_eq!(pieces.ids.len(), pieces.words.len());
            assert!(pieces.spans.iter().flatten().all(|span| Span::of(text, span.range()).is_ok()));
            assert!(pieces.ids.iter().all(|id| *id <= tokenizer.max_id()));
        }
        let Ok(windowing) = tokenizer.windowing(16, 4) else { continue };
        if let Ok(listed) = tokenizer.list(text, &windowing) {
            assert!(listed.pieces.iter().all(|piece| text.get(piece.range.clone()).is_some()));
            let tokens: Vec<&str> = listed.pieces.iter().map(|piece| piece.token.as_str()).collect();
            assert!(tokenizer.words(&tokens).len() < 1 << 20);
        }
        for alignment in [Alignment::Word, Alignment::Piece] {
            let Ok(encoded) = tokenizer.encode(text, None, alignment, &windowing) else { continue };
            assert!(encoded.slots.iter().all(|slot| Span::of(text, slot.range()).is_ok()));
            assert!(encoded.windows.iter().all(|window| window.ids.len() <= 16));
        }
    }
}

/// A file of weights is refused, or has the elements that its header announces.
///
/// # Panics
/// It does neither.
pub fn weights_hold(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let Ok(weights) = Weights::open(file.path()) else { return };
    for tensor in weights.tensors() {
        assert!(weights.get(tensor.name).is_some_and(|again| again == tensor));
        if let Ok(floats) = weights.f32(tensor.name, tensor.shape) {
            assert_eq!(floats.len(), tensor.shape.iter().product::<usize>());
            assert!(floats.len() <= bytes.len());
        }
    }
}
