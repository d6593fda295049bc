//! `tokenizer.json` on its way into a bundle.

use std::{fs, path::Path};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::BundleError;
use crate::text::Tokenizer;

/// A tokenizer and the text of the file that it was made from.
pub(super) struct TokenizerFile {
    pub tokenizer: Tokenizer,
    pub json: Vec<u8>,
}

/// What makes a tokenizer change the length of a text.
#[derive(Deserialize)]
struct Cuts {
    truncation: Option<IgnoredAny>,
    padding: Option<IgnoredAny>,
}

/// Reads the tokenizer of a model folder. The text that is kept has no truncation and no padding: a base that was
/// trained on short texts often cuts everything at 128 pieces, and whoever opens the bundle would lose the rest.
pub(super) fn read(folder: &Path) -> Result<TokenizerFile, BundleError> {
    let path = folder.join("tokenizer.json");
    if !path.exists() {
        let problem = "there is no tokenizer.json; make one with transformers: \
                       `AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)`";
        return Err(BundleError::Disagree { path: folder.to_owned(), problem: problem.to_owned() });
    }
    let tokenizer = Tokenizer::from_file(&path)?;
    let mut json = fs::read(&path).map_err(|error| BundleError::Io { path: path.clone(), error })?;
    let malformed = |error| BundleError::Json { path: path.clone(), error };
    // Large vocabularies are parsed anew only where something has to change.
    let Cuts { truncation, padding } = serde_json::from_slice(&json).map_err(&malformed)?;
    if truncation.is_some() || padding.is_some() {
        let mut value: Value = serde_json::from_slice(&json).map_err(malformed)?;
        value["truncation"] = Value::Null;
        value["padding"] = Value::Null;
        json = super::pretty(&value);
    }
    Ok(TokenizerFile { tokenizer, json })
}
