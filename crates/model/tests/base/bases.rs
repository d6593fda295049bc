//! Tiny bases that the tests serve, wrap into wheels and fetch.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nomen_model::base::{Alias, Options, Patience};
use sha2::{Digest, Sha256};

pub const CONFIG: &str = r#"{"model_type": "bert", "hidden_size": 64, "_name_or_path": "tiny"}"#;
pub const CARD: &str = "---\nlicense: apache-2.0\n---\n# Tiny\n";

/// The files of a model folder by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A base of about 70 KB, with every optional file.
pub fn tiny() -> Files {
    let mut files = Files::new();
    for (name, text) in [
        ("config.json", CONFIG),
        ("tokenizer.json", r#"{"version": "1.0"}"#),
        ("tokenizer_config.json", "{}"),
        ("special_tokens_map.json", "{}"),
        ("README.md", CARD),
    ] {
        files.insert(name.to_owned(), text.into());
    }
    files.insert("model.safetensors".to_owned(), weights("embeddings", 256));
    files
}

/// Safetensors with one matrix of `rows` by 64.
pub fn weights(name: &str, rows: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    let elements: Vec<f32> = (0..rows * 64).map(|index| index as f32).collect();
    nomen_model::weights::save(&path, [(name, &[rows, 64][..], &elements[..])]).unwrap();
    fs::read(path).unwrap()
}

/// The same with the weights in two shards.
pub fn sharded() -> Files {
    let mut files = tiny();
    files.remove("model.safetensors");
    files.insert("model-00001-of-00002.safetensors".to_owned(), weights("a", 2));
    files.insert("model-00002-of-00002.safetensors".to_owned(), weights("b", 2));
    let map = r#"{"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}"#;
    files.insert("model.safetensors.index.json".to_owned(), format!(r#"{{"weight_map": {map}}}"#).into());
    files
}

pub fn write(files: &Files, folder: &Path) {
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// An alias that pins `files`; aliases are rows of a table in the binary, so it lives as long as the test.
pub fn alias(files: &Files, sources: &[&'static str]) -> &'static Alias {
    let sums =
        ["model.safetensors", "tokenizer.json"].map(|name| (name, &*Box::leak(sha256(&files[name]).into_boxed_str())));
    Box::leak(Box::new(Alias {
        name: "tiny",
        sources: Box::leak(sources.to_vec().into_boxed_slice()),
        licence: "CC0-1.0",
        sums: Box::leak(Box::new(sums)),
        config: r#"{"model_type": "bert", "hidden_size": 64}"#,
    }))
}

/// Options that reach nothing but what a test gives them.
pub fn options(cache: &Path, hub: &str) -> Options {
    Options {
        cache: cache.to_owned(),
        offline: false,
        hub: hub.to_owned(),
        hub_token: None,
        pip: Vec::new(),
        patience: Patience::default(),
    }
}

/// Names in the folder of cached bases, also those that a user does not see.
pub fn visible(cache: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(cache.join("bases")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
