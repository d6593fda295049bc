//! Loading a `tokenizer.json`, which is not trusted.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use serde_json::Value;
use thiserror::Error;
use tokenizers::{
    AddedToken, DecoderWrapper, Encoding, ModelWrapper, NormalizerWrapper, PostProcessor, PostProcessorWrapper,
    PreTokenizerWrapper, Token,
};

use super::{
    Tokenizer,
    limit::{Unfinished, processor_time, within},
};
use crate::text::{
    Refusal, Template,
    listing::Listing,
    vet::{MAX_FILE, Vetted, vet},
};

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
        within(limit, processor_time, move || Self::build(&json)).unwrap_or_else(|unfinished| {
            Err(match unfinished {
                Unfinished::TooLong => Problem::Slow(limit),
                Unfinished::BrokeDown(words) => Problem::Build(words),
                Unfinished::NotBegun(error) => Problem::Read(error),
            })
        })
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
}

fn too_large(size: u64) -> Refusal {
    Refusal::new("", format!("a file of {size} bytes, at most {MAX_FILE} are accepted"))
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
