//! `tokenizer.json` on its way into a bundle.

use std::{fs, path::Path};

use serde_json::Value;

use super::BundleError;
use crate::text::Tokenizer;

/// A tokenizer and the text of the file that it was made from.
pub(super) struct TokenizerFile {
    pub tokenizer: Tokenizer,
    pub json: Vec<u8>,
}

/// Reads the tokenizer of a model folder. The text that is kept has no truncation and no padding: a base that was
/// trained on short texts often cuts everything at 128 pieces, and whoever opens the bundle would lose the rest.
pub(super) fn read(folder: &Path) -> Result<TokenizerFile, BundleError> {
    let path = folder.join("tokenizer.json");
    let tokenizer = Tokenizer::from_file(&path)?;
    let mut json = fs::read(&path).map_err(|error| BundleError::Io { path: path.clone(), error })?;
    let mut value: Value = serde_json::from_slice(&json).map_err(|error| BundleError::Json { path, error })?;
    let cuts = ["truncation", "padding"].into_iter().filter(|key| value.get(key).is_some_and(|value| !value.is_null()));
    let cuts: Vec<&str> = cuts.collect();
    if !cuts.is_empty() {
        for key in cuts {
            value[key] = Value::Null;
        }
        json = super::pretty(&value);
    }
    Ok(TokenizerFile { tokenizer, json })
}
