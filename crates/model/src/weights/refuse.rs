//! Formats and settings that run code when a model is opened: refused, with the way out. No byte of them is read.

use std::path::Path;

use serde_json::Value;

use super::error::WeightsError;

/// How pickled weights become safetensors.
pub const HOW_TO_CONVERT: &str = "convert them once, where you trust them, with transformers: \
    `AutoModel.from_pretrained(MODEL).save_pretrained(FOLDER, safe_serialization=True)` and \
    `AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)`, then use `path:FOLDER`";

/// Whether the name is one that pickled weights go by.
pub fn is_pickle(path: &Path) -> bool {
    const PICKLED: [&str; 7] = ["bin", "pt", "pth", "pkl", "pickle", "ckpt", "joblib"];
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".index.json").unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(_, extension)| PICKLED.contains(&extension))
}

/// Refuses a `config.json` whose `auto_map` names Python code of the model's own. A missing file is accepted.
///
/// # Errors
/// The file cannot be read, is not a JSON object, or has an `auto_map`.
pub fn refuse_remote_code(config: &Path) -> Result<(), WeightsError> {
    let text = match std::fs::read(config) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(WeightsError::Io { path: config.to_owned(), source }),
    };
    let json = |reason| WeightsError::Json { path: config.to_owned(), reason };
    match serde_json::from_slice(&text) {
        Ok(Value::Object(object)) if object.get("auto_map").is_some_and(|map| !map.is_null()) => {
            Err(WeightsError::RemoteCode { path: config.to_owned() })
        }
        Ok(Value::Object(_)) => Ok(()),
        Ok(_) => Err(json("not a JSON object".to_owned())),
        Err(error) => Err(json(format!("not JSON: {error}"))),
    }
}

/// The error for a folder without safetensors: pickled weights get the way out.
pub(super) fn without_safetensors(folder: &Path) -> WeightsError {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) => return WeightsError::Io { path: folder.to_owned(), source },
    };
    // `training_args.bin` and `optimizer.pt` lie beside the weights that a trainer saved and are not the model.
    let mut pickled: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_pickle(path)).collect();
    pickled.sort_by_key(|path| (!path.to_string_lossy().contains("model"), path.clone()));
    match pickled.into_iter().next() {
        Some(path) => WeightsError::Pickle { path },
        None => WeightsError::NoWeights { folder: folder.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickled_names_are_known_by_their_ending() {
        for name in ["pytorch_model.bin", "Model.PT", "a/b.pkl", "pytorch_model.bin.index.json"] {
            assert!(is_pickle(Path::new(name)), "{name}");
        }
        for name in ["model.safetensors", "bin", "model.safetensors.index.json", "config.json"] {
            assert!(!is_pickle(Path::new(name)), "{name}");
        }
    }
}
