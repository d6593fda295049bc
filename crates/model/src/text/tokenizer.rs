//! Loading a `tokenizer.json` and cutting texts into pieces.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use regex::Regex;
use rustix::time::{ClockId, clock_gettime};
use schema::Span;
use serde_json::Value;
use thiserror::Error;
use tokenizers::{
    AddedToken, DecoderWrapper, Encoding, Model, ModelWrapper, NormalizerWrapper, OffsetType, PostProcessor,
    PostProcessorWrapper, PreTokenizer, PreTokenizerWrapper, Token,
};

use super::{
    Alignment, EncodedText, ListedText, Pieces, Refusal, Template, WindowError, Windowing, encode,
    listing::Listing,
    pieces::{take_clusters, visible},
    vet::{MAX_FILE, Vetted, vet},
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

/// Why a `tokenizer.json` cannot be used.
#[derive(Debug, Error)]
#[error("{origin}: {problem}")]
pub struct TokenizerError {
    /// The file.
    pub origin: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a `tokenizer.json`.
#[derive(Debug, Error)]
pub enum Problem {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is not JSON, or nested too deeply.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is missing, malformed or over a limit.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Building it, or a trial text, failed.
    #[error("the tokenizer cannot be built: {0}")]
    Build(String),
    /// Building it and encoding a short trial text took too much time of the processor.
    #[error("loading and a trial text took more than {0:?} of the processor's time; the file is damaged or hostile")]
    Slow(Duration),
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

/// Texts that take every path through a pipeline: scripts, runs, controls, and words that tempt a slow pattern.
static TRIAL: LazyLock<[String; 3]> = LazyLock::new(|| {
    let mixed = "The caf\u{e9}, na\u{ef}ve \u{5317}\u{4eac} 12.5\u{20ac} I'm\r\n\t\u{1f468}\u{200d}\u{1f469} e\u{301} \u{0}\u{7f} \u{fdfa} ";
    [mixed.to_owned(), format!("{}b", "a".repeat(2000)), format!("{}{}x", " ".repeat(500), "a1 ".repeat(300))]
});

impl Tokenizer {
    /// Loads a `tokenizer.json`. The file is not trusted: it is checked before anything is built from it, and all
    /// of it happens on a thread of its own that is given 0.8 s of the processor and 0.5 s for every MB of the file.
    ///
    /// # Errors
    /// The file cannot be read, is not what it should be, or takes too long.
    pub fn from_file(path: &Path) -> Result<Self, TokenizerError> {
        let fail = |problem| TokenizerError { origin: path.to_owned(), problem };
        let size = fs::metadata(path).map_err(|error| fail(error.into()))?.len();
        if size > MAX_FILE as u64 {
            return Err(fail(too_large(size).into()));
        }
        Self::from_json(fs::read(path).map_err(|error| fail(error.into()))?).map_err(fail)
    }

    /// Loads the text of a `tokenizer.json`, as [`Tokenizer::from_file`] does.
    ///
    /// # Errors
    /// The text is not what it should be, or takes too long.
    pub fn from_json(json: Vec<u8>) -> Result<Self, Problem> {
        if json.len() > MAX_FILE {
            return Err(too_large(json.len() as u64).into());
        }
        let limit = Duration::from_millis(800 + json.len() as u64 / 2000);
        within(limit, processor_time, move || Self::build(&json))
    }

    fn build(json: &[u8]) -> Result<Self, Problem> {
        let Vetted { model, normalizer, pre_tokenizer, post_processor, decoder, added_tokens } =
            vet(serde_json::from_slice(json)?)?;
        let marks_continuing = model["continuing_subword_prefix"].as_str().is_some_and(|prefix| !prefix.is_empty());
        let (unknown_id, unknown_token) = (model["unk_id"].as_u64(), model["unk_token"].as_str().map(str::to_owned));
        let mut pipeline = tokenizers::Tokenizer::new(model_of(model)?);
        let failed = |error: tokenizers::Error| Problem::Build(error.to_string());
        pipeline.with_normalizer(part::<NormalizerWrapper>("normalizer", normalizer)?).map_err(failed)?;
        let space = space(&pre_tokenizer);
        let for_words = with_prefix_space(&pre_tokenizer);
        let for_words = part::<PreTokenizerWrapper>("pre_tokenizer", for_words.unwrap_or_default())?;
        pipeline.with_pre_tokenizer(part::<PreTokenizerWrapper>("pre_tokenizer", pre_tokenizer)?);
        let added: Vec<AddedToken> = added_tokens
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<_, _>>()
            .map_err(|error| Refusal::new("added_tokens", error.to_string()))?;
        pipeline.add_tokens(added).map_err(failed)?;
        let post_processor = part::<PostProcessorWrapper>("post_processor", post_processor)?;
        let template = template(post_processor.as_ref())?;
        let decoder = part::<DecoderWrapper>("decoder", decoder)?;
        // A byte-level model names none, as it knows every byte, and still has one that a text can quote.
        let mut names = unknown_token.as_deref().into_iter().chain(["<unk>", "[UNK]"]);
        let unknown = match unknown_id {
            Some(id) => Some(id as u32),
            None => names.find_map(|name| pipeline.token_to_id(name)),
        };
        let listing = Listing { post_processor, decoder, marks_continuing, unknown };
        let tokenizer = Self { pipeline, for_words, space, template, listing };
        for text in TRIAL.iter() {
            tokenizer.pieces(text, None).map_err(|error| Problem::Build(error.to_string()))?;
        }
        Ok(tokenizer)
    }

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
            Err(panic) => Err(TokenizeError::Failed(message(&*panic))),
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

/// Runs `work` on a thread of its own until `clock` has gone on by `limit`. A thread cannot be stopped: work that takes
/// too long is left to end alone.
fn within<T: Send + 'static>(
    limit: Duration,
    clock: impl Fn() -> Duration,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let run = move || {
        let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Problem::Build(message(&*panic))));
        // Nobody receives once the time is over.
        let _ = sender.send(done);
    };
    let begun = clock();
    // Room for JSON as deep as the parser admits and for dropping a prefix tree of the longest entries.
    thread::Builder::new().name("load tokenizer".to_owned()).stack_size(16 << 20).spawn(run)?;
    let mut left = limit;
    loop {
        if let Ok(done) = receiver.recv_timeout(left.max(Duration::from_millis(1))) {
            return done;
        }
        left = limit.saturating_sub(clock().saturating_sub(begun));
        if left.is_zero() {
            return Err(Problem::Slow(limit));
        }
    }
}

/// What this process has had of the processors. It stands still while others have them: a file is not hostile because
/// the machine is busy, or was asleep.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn too_large(size: u64) -> Refusal {
    Refusal::new("", format!("a file of {size} bytes, at most {MAX_FILE} are accepted"))
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it broke down").to_owned()
}

/// A part of the file, `None` where it is `null`.
fn part<T: serde::de::DeserializeOwned>(field: &str, value: Value) -> Result<Option<T>, Refusal> {
    serde_json::from_value(value).map_err(|error| Refusal::new(field, error.to_string()))
}

/// The model, read as its type directly: the crate's own detour copies a large vocabulary twice.
fn model_of(mut model: Value) -> Result<ModelWrapper, Refusal> {
    // Its readers would want to borrow the type from the file.
    let kind = model.as_object_mut().and_then(|fields| fields.shift_remove("type")).unwrap_or_default();
    let read = match kind.as_str().unwrap_or_default() {
        "BPE" => serde_json::from_value(model).map(ModelWrapper::BPE),
        "Unigram" => serde_json::from_value(model).map(ModelWrapper::Unigram),
        "WordPiece" => serde_json::from_value(model).map(ModelWrapper::WordPiece),
        _ => serde_json::from_value(model).map(ModelWrapper::WordLevel),
    };
    read.map_err(|error| Refusal::new("model", error.to_string()))
}

/// A byte-level pre-tokenizer that puts a space before every word, `None` where the file's own does or none is
/// byte-level. A step behind another one sees parts of words, where a space would be wrong.
fn with_prefix_space(pre_tokenizer: &Value) -> Option<Value> {
    let mut changed = pre_tokenizer.clone();
    let first = match pre_tokenizer["type"].as_str()? {
        "Sequence" => changed["pretokenizers"].get_mut(0)?,
        _ => &mut changed,
    };
    if first["type"] != "ByteLevel" || first["add_prefix_space"] == true {
        return None;
    }
    first["add_prefix_space"] = true.into();
    Some(changed)
}

/// The character that a byte-level or `SentencePiece` pre-tokenizer writes for a space.
fn space(pre_tokenizer: &Value) -> Option<char> {
    match pre_tokenizer["type"].as_str()? {
        "ByteLevel" => Some('\u{120}'),
        "Metaspace" => pre_tokenizer["replacement"].as_str()?.chars().next(),
        "Sequence" => pre_tokenizer["pretokenizers"].as_array()?.iter().find_map(space),
        _ => None,
    }
}

/// The special tokens that a post-processor puts around one piece.
fn template(post_processor: Option<&PostProcessorWrapper>) -> Result<Template, Problem> {
    let Some(post_processor) = post_processor else {
        return Ok(Template::default());
    };
    let refuse = |reason: &str| Err(Refusal::new("post_processor", reason).into());
    let piece = Encoding::from_tokens(vec![Token::new(0, "piece".to_owned(), (0, 5))], 0);
    let processed = post_processor.process(piece, None, true).map_err(|error| Problem::Build(error.to_string()))?;
    if processed.get_type_ids().iter().any(|kind| *kind != 0) {
        return refuse("token types other than 0 for a single text");
    }
    let mask = processed.get_special_tokens_mask();
    let Some(place) = mask.iter().position(|special| *special == 0) else {
        return refuse("its template for single texts has no place for the text");
    };
    let (prefix, rest) = processed.get_ids().split_at(place);
    let suffix = &rest[1..];
    if mask[place + 1..].contains(&0) {
        return refuse("its template for single texts holds the text twice");
    }
    if prefix.len() + suffix.len() > 16 {
        return refuse("more than 16 special tokens around a text");
    }
    Ok(Template { prefix: prefix.to_vec(), suffix: suffix.to_vec() })
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
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_that_takes_too_long_or_breaks_down_is_an_error() {
        let begun = Instant::now();
        let clock = || begun.elapsed();
        let endless = within(Duration::from_millis(20), clock, || {
            thread::sleep(Duration::from_secs(5));
            Ok(())
        });
        assert!(matches!(endless, Err(Problem::Slow(_))));
        let broken: Result<(), _> = within(Duration::from_secs(5), clock, || panic!("index out of range"));
        assert_eq!(broken.unwrap_err().to_string(), "the tokenizer cannot be built: index out of range");
        assert_eq!(within(Duration::from_secs(5), clock, || Ok(7)).unwrap(), 7);
    }

    #[test]
    fn a_busy_machine_makes_no_file_slow() {
        let late = within(
            Duration::from_millis(20),
            || Duration::ZERO,
            || {
                thread::sleep(Duration::from_millis(200));
                Ok(7)
            },
        );
        assert_eq!(late.unwrap(), 7);
    }

    #[test]
    fn processor_time_goes_on_with_work() {
        let begun = processor_time();
        while processor_time() - begun < Duration::from_millis(5) {}
    }

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
