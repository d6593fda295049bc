//! What a `tokenizer.json` must satisfy before its parts are built.
//!
//! A foreign file is untrusted. Building it unseen can panic (a merge longer than every vocabulary entry), abort
//! the process (a charsmap that announces gigabytes, a vocabulary entry whose prefix tree is dropped by deep
//! recursion, replacements that double the text again and again) or run for hours (patterns that backtrack).
//! Every limit here is far above what published tokenizers need.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use thiserror::Error;

use super::pattern;

/// Bytes of a file; the largest published ones have about 33 MB.
pub(super) const MAX_FILE: usize = 64 << 20;
/// Entries of a vocabulary, and of a merge list.
const MAX_ENTRIES: usize = 2_000_000;
/// Bytes of one vocabulary entry or added token.
const MAX_PIECE: usize = 1024;
/// Bytes of all added tokens together.
const MAX_ADDED: usize = 4 << 20;
/// Bytes of the mark of continuing or final pieces.
const MAX_AFFIX: usize = 64;
/// Longest word that `WordPiece` tries to cut; its time grows with the square.
const MAX_WORD: u64 = 1000;
/// Normalizers and pre-tokenizers, sequences unfolded.
const MAX_STEPS: usize = 32;
/// Sequences inside sequences.
const MAX_DEPTH: usize = 4;
/// How many times longer the normalizers may make a text, Unicode's own forms aside.
const MAX_GROWTH: usize = 64;
/// Bytes that one entry of a charsmap may write.
const MAX_CHARSMAP_ENTRY: usize = 256;

/// Why a `tokenizer.json` is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{field}`: {reason}")]
pub struct Refusal {
    /// Where in the file.
    pub field: String,
    /// What is wrong there, and what was expected.
    pub reason: String,
}

impl Refusal {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

/// The parts of a file that encoding, and writing pieces as text again, need. Truncation and padding are left behind.
#[derive(Debug)]
pub(super) struct Vetted {
    /// The model, with its `type` filled in.
    pub model: Value,
    /// The normalizer, `null` where there is none.
    pub normalizer: Value,
    /// The pre-tokenizer, `null` where there is none.
    pub pre_tokenizer: Value,
    /// The post-processor, `null` where there is none.
    pub post_processor: Value,
    /// The decoder, `null` where there is none.
    pub decoder: Value,
    /// The added tokens.
    pub added_tokens: Vec<Value>,
}

/// Checks the parts of a parsed file.
///
/// # Errors
/// The first field that is not acceptable.
pub(super) fn vet(mut file: Value) -> Result<Vetted, Refusal> {
    let Some(root) = file.as_object_mut() else {
        return Err(Refusal::new("", "expected an object"));
    };
    if let Some(version) = root.get("version").filter(|version| *version != "1.0") {
        return Err(Refusal::new("version", format!("expected \"1.0\", found {version}")));
    }
    let mut take = |key| root.get_mut(key).map_or(Value::Null, Value::take);
    let mut vetted = Vetted {
        model: take("model"),
        normalizer: take("normalizer"),
        pre_tokenizer: take("pre_tokenizer"),
        post_processor: take("post_processor"),
        decoder: take("decoder"),
        added_tokens: match take("added_tokens") {
            Value::Null => Vec::new(),
            Value::Array(tokens) => tokens,
            _ => return Err(Refusal::new("added_tokens", "expected a list")),
        },
    };
    model(&mut vetted.model)?;
    added_tokens(&vetted.added_tokens)?;
    let mut steps = Steps { count: 0, growth: 1, byte_levels: 0 };
    steps.normalizer("normalizer", &vetted.normalizer, 0)?;
    steps.byte_levels = 0;
    steps.pre_tokenizer("pre_tokenizer", &vetted.pre_tokenizer, 0)?;
    // A decoder works on pieces, whatever the steps before the model did to the text.
    let mut steps = Steps { count: 0, growth: 1, byte_levels: 0 };
    steps.decoder("decoder", &vetted.decoder, 0)?;
    Ok(vetted)
}

fn added_tokens(tokens: &[Value]) -> Result<(), Refusal> {
    let mut bytes = 0;
    for (index, token) in tokens.iter().enumerate() {
        let field = || format!("added_tokens[{index}]");
        let content = token["content"].as_str().ok_or_else(|| Refusal::new(field(), "expected `content`, a text"))?;
        piece(&field(), content)?;
        bytes += content.len();
    }
    if bytes > MAX_ADDED {
        return Err(Refusal::new("added_tokens", format!("{bytes} bytes, at most {MAX_ADDED} are accepted")));
    }
    Ok(())
}

fn piece(field: &str, piece: &str) -> Result<(), Refusal> {
    if piece.len() > MAX_PIECE {
        let reason = format!("an entry of {} bytes, at most {MAX_PIECE} are accepted", piece.len());
        return Err(Refusal::new(field, reason));
    }
    Ok(())
}

/// Checks the model and names its type, which the first files of the format left out.
fn model(model: &mut Value) -> Result<(), Refusal> {
    let Some(fields) = model.as_object_mut() else {
        return Err(Refusal::new("model", "expected an object"));
    };
    let kind = match fields.get("type") {
        Some(kind) => kind.as_str().unwrap_or_default().to_owned(),
        None if fields.contains_key("merges") => "BPE".to_owned(),
        None if fields.get("vocab").is_some_and(Value::is_array) => "Unigram".to_owned(),
        None if fields.contains_key("continuing_subword_prefix") => "WordPiece".to_owned(),
        None => "WordLevel".to_owned(),
    };
    match kind.as_str() {
        "Unigram" => unigram(fields)?,
        "BPE" | "WordPiece" | "WordLevel" => {
            let vocabulary = vocabulary(fields)?;
            if let Some(unknown) = fields.get("unk_token").and_then(Value::as_str)
                && !vocabulary.contains(unknown)
            {
                return Err(Refusal::new("model.unk_token", format!("`{unknown}` is not in the vocabulary")));
            }
            for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
                let long = fields.get(affix).and_then(Value::as_str).is_some_and(|text| text.len() > MAX_AFFIX);
                if long {
                    let reason = format!("longer than {MAX_AFFIX} bytes");
                    return Err(Refusal::new(format!("model.{affix}"), reason));
                }
            }
            if kind == "BPE" {
                merges(fields, &vocabulary)?;
            }
        }
        other => {
            let reason = format!("expected BPE, Unigram, WordLevel or WordPiece, found `{other}`");
            return Err(Refusal::new("model.type", reason));
        }
    }
    if let Some(limit) = fields.get("max_input_chars_per_word").and_then(Value::as_u64)
        && limit > MAX_WORD
    {
        let reason = format!("{limit}, at most {MAX_WORD} is accepted (100 is usual)");
        return Err(Refusal::new("model.max_input_chars_per_word", reason));
    }
    // Random merges serve training a language model; here the same text must always give the same pieces.
    fields.insert("dropout".to_owned(), Value::Null);
    fields.insert("type".to_owned(), kind.into());
    Ok(())
}

fn count(field: &str, entries: usize) -> Result<(), Refusal> {
    if entries > MAX_ENTRIES {
        return Err(Refusal::new(field, format!("{entries} entries, at most {MAX_ENTRIES} are accepted")));
    }
    Ok(())
}

fn vocabulary(model: &Map<String, Value>) -> Result<HashSet<&str>, Refusal> {
    let Some(entries) = model.get("vocab").and_then(Value::as_object) else {
        return Err(Refusal::new("model.vocab", "expected an object of pieces and their ids"));
    };
    count("model.vocab", entries.len())?;
    for (entry, id) in entries {
        piece("model.vocab", entry)?;
        if id.as_u64().is_none_or(|id| id >= u64::from(u32::MAX)) {
            let reason = format!("the id of `{}` is {id}, expected a 32-bit number", entry.escape_debug());
            return Err(Refusal::new("model.vocab", reason));
        }
    }
    Ok(entries.keys().map(String::as_str).collect())
}

fn unigram(model: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(entries) = model.get("vocab").and_then(Value::as_array) else {
        return Err(Refusal::new("model.vocab", "expected a list of pieces and their scores"));
    };
    count("model.vocab", entries.len())?;
    for entry in entries {
        let text = entry[0].as_str().ok_or_else(|| Refusal::new("model.vocab", "expected pairs of piece and score"))?;
        piece("model.vocab", text)?;
    }
    match model.get("unk_id").and_then(Value::as_u64) {
        Some(id) if id < entries.len() as u64 => Ok(()),
        _ => Err(Refusal::new("model.unk_id", "expected the position of the unknown piece in the vocabulary")),
    }
}

/// Every merge must join two entries into a third one, which also bounds its length.
fn merges(model: &Map<String, Value>, vocabulary: &HashSet<&str>) -> Result<(), Refusal> {
    let Some(merges) = model.get("merges").and_then(Value::as_array) else {
        return Err(Refusal::new("model.merges", "expected a list"));
    };
    count("model.merges", merges.len())?;
    let prefix = model.get("continuing_subword_prefix").and_then(Value::as_str).unwrap_or_default();
    let mut joined = String::new();
    for (index, merge) in merges.iter().enumerate() {
        let refuse = |reason: String| Err(Refusal::new(format!("model.merges[{index}]"), reason));
        let pair = match merge {
            Value::String(line) if line.starts_with("#version") => continue,
            Value::String(line) => line.split_once(' '),
            Value::Array(pair) if pair.len() == 2 => pair[0].as_str().zip(pair[1].as_str()),
            _ => None,
        };
        let Some((left, right)) = pair else {
            return refuse("expected two pieces".to_owned());
        };
        let Some(rest) = right.get(prefix.len()..) else {
            return refuse(format!("the right piece lacks the prefix `{prefix}`"));
        };
        joined.clear();
        joined.extend([left, rest]);
        if let Some(missing) = [left, right, &joined].into_iter().find(|entry| !vocabulary.contains(entry)) {
            return refuse(format!("`{:.80}` is not in the vocabulary", missing.escape_debug().to_string()));
        }
    }
    Ok(())
}

/// What the steps before the model add up to.
struct Steps {
    count: usize,
    growth: usize,
    byte_levels: usize,
}

impl Steps {
    fn enter(&mut self, field: &str, depth: usize) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > MAX_STEPS || depth > MAX_DEPTH {
            let reason = format!("more than {MAX_STEPS} steps, or sequences nested deeper than {MAX_DEPTH}");
            return Err(Refusal::new(field, reason));
        }
        Ok(())
    }

    fn grow(&mut self, field: &str, factor: usize) -> Result<(), Refusal> {
        self.growth = self.growth.saturating_mul(factor.max(1));
        if self.growth > MAX_GROWTH {
            let reason = format!("replacements up to here can make a text more than {MAX_GROWTH} times longer");
            return Err(Refusal::new(field, reason));
        }
        Ok(())
    }

    /// Each byte outside printable ASCII becomes a character of two bytes, so a second pass doubles them again.
    fn byte_level(&mut self, field: &str) -> Result<(), Refusal> {
        self.byte_levels += 1;
        if self.byte_levels > 1 { Err(Refusal::new(field, "a second ByteLevel step")) } else { Ok(()) }
    }

    fn normalizer(&mut self, field: &str, step: &Value, depth: usize) -> Result<(), Refusal> {
        if step.is_null() {
            return Ok(());
        }
        self.enter(field, depth)?;
        match step["type"].as_str() {
            Some("Sequence") => {
                for (index, inner) in list(field, &step["normalizers"])?.iter().enumerate() {
                    self.normalizer(&format!("{field}.normalizers[{index}]"), inner, depth + 1)?;
                }
                Ok(())
            }
            Some("Replace") => self.replace(field, step),
            Some("Prepend") => self.grow(field, step["prepend"].as_str().unwrap_or_default().chars().count()),
            Some("Precompiled") => charsmap(field, step["precompiled_charsmap"].as_str().unwrap_or_default()),
            Some("ByteLevel") => self.byte_level(field),
            Some(_) => Ok(()),
            None => Err(Refusal::new(field, "expected a `type`")),
        }
    }

    fn replace(&mut self, field: &str, step: &Value) -> Result<(), Refusal> {
        let content = step["content"].as_str().unwrap_or_default().chars().count();
        let factor = match (step["pattern"]["String"].as_str(), step["pattern"]["Regex"].as_str()) {
            (Some(text), _) => content.div_ceil(text.chars().count().max(1)),
            (None, Some(regex)) => {
                let linear = pattern::linear(regex).map_err(|reason| Refusal::new(field, reason))?;
                content + usize::from(linear.matches_empty)
            }
            (None, None) => return Err(Refusal::new(field, "expected a `pattern`")),
        };
        self.grow(field, factor)
    }

    fn pre_tokenizer(&mut self, field: &str, step: &Value, depth: usize) -> Result<(), Refusal> {
        if step.is_null() {
            return Ok(());
        }
        self.enter(field, depth)?;
        match step["type"].as_str() {
            Some("Sequence") => {
                for (index, inner) in list(field, &step["pretokenizers"])?.iter().enumerate() {
                    self.pre_tokenizer(&format!("{field}.pretokenizers[{index}]"), inner, depth + 1)?;
                }
                Ok(())
            }
            Some("Split") => match step["pattern"]["Regex"].as_str() {
                Some(regex) => pattern::linear(regex).map(drop).map_err(|reason| Refusal::new(field, reason)),
                None => Ok(()),
            },
            Some("FixedLength") if step["length"] == 0 => Err(Refusal::new(field, "a length of 0")),
            Some("ByteLevel") => self.byte_level(field),
            Some(_) => Ok(()),
            None => Err(Refusal::new(field, "expected a `type`")),
        }
    }

    fn decoder(&mut self, field: &str, step: &Value, depth: usize) -> Result<(), Refusal> {
        if step.is_null() {
            return Ok(());
        }
        self.enter(field, depth)?;
        match step["type"].as_str() {
            Some("Sequence") => {
                for (index, inner) in list(field, &step["decoders"])?.iter().enumerate() {
                    self.decoder(&format!("{field}.decoders[{index}]"), inner, depth + 1)?;
                }
                Ok(())
            }
            Some("Replace") => self.replace(field, step),
            // An empty mark is found, and a space written, around every character.
            Some("BPEDecoder") if step["suffix"] == "" => self.grow(field, 3),
            Some("CTC") if step["word_delimiter_token"] == "" => self.grow(field, 3),
            Some(_) => Ok(()),
            None => Err(Refusal::new(field, "expected a `type`")),
        }
    }
}

fn list<'v>(field: &str, value: &'v Value) -> Result<&'v Vec<Value>, Refusal> {
    value.as_array().ok_or_else(|| Refusal::new(field, "a sequence without its list"))
}

/// `SentencePiece`'s compiled normalization: the size of a double array, the array, and the texts that it points
/// to, each ended by a zero byte.
fn charsmap(field: &str, base64: &str) -> Result<(), Refusal> {
    let refuse = |reason: &str| Err(Refusal::new(format!("{field}.precompiled_charsmap"), reason));
    let Ok(blob) = STANDARD.decode(base64) else {
        return refuse("not Base64");
    };
    let Some((head, rest)) = blob.split_first_chunk::<4>() else {
        return refuse("shorter than its header");
    };
    let size = u32::from_le_bytes(*head) as usize;
    // The root is read before any bounds are known.
    if size < 4 || size > rest.len() {
        return refuse("the size in its header is not the size of its table");
    }
    if rest[size / 4 * 4..].split(|byte| *byte == 0).any(|entry| entry.len() > MAX_CHARSMAP_ENTRY) {
        return refuse("an entry replaces one character by several hundred");
    }
    Ok(())
}
