//! A tokenizer of the Hugging Face kind, and texts that it cuts into pieces.

mod limit;
mod load;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use regex::Regex;
use schema::Span;
use thiserror::Error;
use tokenizers::{Encoding, Model, OffsetType, PreTokenizer, PreTokenizerWrapper};

use self::limit::panic_message;
pub use self::load::TokenizerError;
use super::{
    Alignment, EncodedText, ListedText, Pieces, Template, WindowError, Windowing, encode,
    listing::Listing,
    pieces::{take_clusters, visible},
    windows::windows_of_all,
};

/// A tokenizer of the Hugging Face kind, for single texts that are never truncated or padded.
///
/// The file's truncation, padding and random merges are left out. Added tokens that a text quotes
/// (`[SEP]`) become that token, as in transformers.
#[derive(Debug)]
pub struct Tokenizer {
    pipeline: tokenizers::Tokenizer,
    /// The pre-tokenizer for single known words, where it differs.
    for_words: Option<PreTokenizerWrapper>,
    /// What stands for a space at the start of pieces.
    space: Option<char>,
    template: Template,
    listing: Listing,
}

/// Why a text could not be cut into pieces.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenizeError {
    /// Offsets would not fit 32 bits.
    #[error("the text has {0} bytes, more than 4 GiB; split it")]
    TooLong(usize),
    /// The tokenizer refused it or broke down.
    #[error("the tokenizer failed on a text: {0}")]
    Failed(String),
}

impl Tokenizer {
    /// The special tokens around a text.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// How many pieces there are, added tokens included.
    pub fn vocabulary_len(&self) -> usize {
        self.pipeline.get_vocab_size(true)
    }

    /// The largest id that a text can get; an embedding table needs one row more.
    pub fn max_id(&self) -> u32 {
        let special = self.template.prefix.iter().chain(&self.template.suffix);
        self.pipeline.get_vocab(true).values().chain(special).copied().max().unwrap_or(0)
    }

    /// Windows of at most `max_length` pieces with this tokenizer's special tokens, as [`Windowing::new`].
    ///
    /// # Errors
    /// The special tokens leave no room, or the overlap none to advance.
    pub fn windowing(&self, max_length: usize, stride: usize) -> Result<Windowing, WindowError> {
        Windowing::new(self.template.clone(), max_length, stride)
    }

    /// Cuts a text and puts its pieces into windows; `words` are its known words, where it has any.
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn encode(
        &self,
        text: &str,
        words: Option<&[Span]>,
        alignment: Alignment,
        windowing: &Windowing,
    ) -> Result<EncodedText, TokenizeError> {
        Ok(encode(&self.pieces(text, words)?, words, alignment, windowing))
    }

    /// Cuts a text without known words and lists every piece, put into windows in which each is decided once.
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn list(&self, text: &str, windowing: &Windowing) -> Result<ListedText, TokenizeError> {
        Self::guarded(text, || {
            let encoding = self.cut(text, self.pipeline.get_pre_tokenizer())?;
            let windows = windows_of_all(&self.pieces_of(text, &encoding), windowing);
            let token = |id| self.pipeline.id_to_token(id).unwrap_or_default();
            let mut pieces = self.listing.pieces(text, encoding, token)?;
            let rows = windows.iter().flat_map(|window| &window.decides);
            for (piece, (row, _)) in pieces.iter_mut().zip(rows) {
                piece.index = *row as usize;
            }
            Ok(ListedText { pieces, windows })
        })
    }

    /// Writes pieces as text again, as the file's decoder does (`convert_tokens_to_string` of transformers).
    pub fn words(&self, tokens: &[&str]) -> String {
        self.listing.words(tokens)
    }

    /// Cuts a text into pieces. Known words are cut one by one, as transformers does with
    /// `is_split_into_words=True`; a byte-level tokenizer then puts a space before each, which transformers
    /// wants to be told (`add_prefix_space=True`).
    ///
    /// # Errors
    /// The tokenizer fails on the text.
    pub fn pieces(&self, text: &str, words: Option<&[Span]>) -> Result<Pieces, TokenizeError> {
        Self::guarded(text, || match words {
            Some(words) => self.known_words(text, words),
            None => Ok(self.pieces_of(text, &self.cut(text, self.pipeline.get_pre_tokenizer())?)),
        })
    }

    /// What comes of a text that is not too long. A foreign vocabulary can break assumptions of the crate that cuts; the
    /// process must outlive that.
    fn guarded<T>(text: &str, cut: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, TokenizeError> {
        if u32::try_from(text.len()).is_err() {
            return Err(TokenizeError::TooLong(text.len()));
        }
        match catch_unwind(AssertUnwindSafe(cut)) {
            Ok(done) => done.map_err(|error| TokenizeError::Failed(error.to_string())),
            Err(panic) => Err(TokenizeError::Failed(panic_message(&*panic))),
        }
    }

    /// The pieces of the encoding of a text without known words.
    fn pieces_of(&self, text: &str, encoding: &Encoding) -> Pieces {
        let mut pieces = Pieces::default();
        let (mut word, mut before) = (0, None);
        for index in 0..encoding.len() {
            let span = self.span(text, encoding, index);
            if index > 0 && (encoding.get_word_ids()[index] != before || punctuation_between(text, &pieces, span)) {
                word += 1;
            }
            before = encoding.get_word_ids()[index];
            pieces.spans.push(span);
            pieces.words.push(word);
        }
        pieces.ids = encoding.get_ids().to_vec();
        take_clusters(text, &mut pieces.spans);
        pieces
    }

    fn known_words(&self, text: &str, words: &[Span]) -> tokenizers::Result<Pieces> {
        let pre_tokenizer = self.for_words.as_ref().or(self.pipeline.get_pre_tokenizer());
        let mut pieces = Pieces::default();
        for (index, word) in words.iter().enumerate() {
            let quote = word.quote(text);
            let encoding = self.cut(quote, pre_tokenizer)?;
            pieces.ids.extend_from_slice(encoding.get_ids());
            let mut spans: Vec<_> = (0..encoding.len()).map(|piece| self.span(quote, &encoding, piece)).collect();
            take_clusters(quote, &mut spans);
            pieces.spans.extend(spans.into_iter().map(|span| {
                let inside = span?;
                Span::new(word.start() + inside.start(), word.start() + inside.end()).ok()
            }));
            pieces.words.resize(pieces.ids.len(), index as u32);
        }
        Ok(pieces)
    }

    /// What a piece covers. A space that was put before the text is not part of it, yet the crate lays it over the
    /// first character.
    fn span(&self, text: &str, encoding: &Encoding, piece: usize) -> Option<Span> {
        if self.space.is_some_and(|space| encoding.get_tokens()[piece].chars().all(|mark| mark == space)) {
            return None;
        }
        let (start, end) = encoding.get_offsets()[piece];
        visible(text, start, end)
    }

    /// Everything but special tokens; offsets count bytes of `text`.
    fn cut(&self, text: &str, pre_tokenizer: Option<&PreTokenizerWrapper>) -> tokenizers::Result<Encoding> {
        let added = self.pipeline.get_added_vocabulary();
        let mut cut = added.extract_and_normalize(self.pipeline.get_normalizer(), text);
        if let Some(pre_tokenizer) = pre_tokenizer {
            pre_tokenizer.pre_tokenize(&mut cut)?;
        }
        self.pipeline.get_model().tokenize_in_pretokenized(&mut cut, None)?;
        cut.into_encoding(None, 0, OffsetType::Byte)
    }
}

/// Whether one of the characters where two pieces of a word meet is punctuation, as BERT understands it.
fn punctuation_between(text: &str, before: &Pieces, span: Option<Span>) -> bool {
    let Some((before, span)) = before.spans.last().copied().flatten().zip(span) else {
        return false;
    };
    // Pieces that share a character are parts of it.
    before.end() <= span.start()
        && [before.quote(text).chars().next_back(), span.quote(text).chars().next()]
            .into_iter()
            .flatten()
            .any(is_punctuation)
}

fn is_punctuation(character: char) -> bool {
    static UNICODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\p{P}$").expect("a valid pattern"));
    if character.is_ascii() {
        return character.is_ascii_punctuation();
    }
    UNICODE.is_match(character.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_is_that_of_bert() {
        for character in ['!', '$', '+', '\u{2014}', '\u{3002}', '\u{bf}'] {
            assert!(is_punctuation(character), "{character}");
        }
        for character in ['a', '1', '\u{20ac}', '\u{e9}', '\u{2122}', '\u{6771}'] {
            assert!(!is_punctuation(character), "{character}");
        }
    }
}
