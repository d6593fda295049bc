//! What a folder of a base holds, and the checks that a folder passes before it is used.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::alias::Alias;
use super::error::SourceError;
use super::spec::BaseSpec;
use crate::weights::{INDEX_FILE, WEIGHTS_FILE, Weights, refuse_remote_code};

pub(super) const CONFIG_FILE: &str = "config.json";
pub(super) const TOKENIZER_FILE: &str = "tokenizer.json";
pub(super) const README_FILE: &str = "README.md";

/// Files taken where they are there. The model card names the licence of the weights.
pub(super) const OPTIONAL_FILES: [&str; 3] = ["tokenizer_config.json", "special_tokens_map.json", README_FILE];

/// Most bytes of a file of text, and of a file of weights. The largest tokenizers in use have about 35 MB.
const TEXT_LIMIT: u64 = 256 << 20;
const WEIGHTS_LIMIT: u64 = 64 << 30;

/// A base model on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseFolder {
    /// Folder with `config.json`, `tokenizer.json` and the weights.
    pub path: PathBuf,
    /// The base that was asked for.
    pub spec: BaseSpec,
    /// The source that it came from; never an alias.
    pub source: BaseSpec,
    /// Commit of the Hub's repository, where the server told it.
    pub commit: Option<String>,
    /// Licence of the weights, where the alias or the model card names one.
    pub licence: Option<String>,
    /// The model's files, sorted by name.
    pub files: Vec<BaseFile>,
}

/// One file of a base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseFile {
    /// Name inside the folder.
    pub name: String,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 sum in lower-case hexadecimal.
    pub sha256: String,
}

pub(super) fn limit(file: &str) -> u64 {
    if file.ends_with(".safetensors") { WEIGHTS_LIMIT } else { TEXT_LIMIT }
}

/// Copies `from` into `to` and sums it on the way; `told` hears how many bytes are done. Stops past `file`'s limit.
/// An error of `from` becomes that of `failed`, which is given the bytes done.
pub(super) fn receive(
    from: &mut dyn Read,
    to: &mut dyn Write,
    path: &Path,
    file: &str,
    told: &mut dyn FnMut(u64),
    failed: impl Fn(u64, std::io::Error) -> SourceError,
) -> Result<BaseFile, SourceError> {
    let limit = limit(file);
    let mut sum = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(size, error)),
        };
        size += count as u64;
        if size > limit {
            return Err(SourceError::TooLarge { file: file.to_owned(), limit });
        }
        sum.update(&buffer[..count]);
        to.write_all(&buffer[..count]).map_err(SourceError::io(path))?;
        told(size);
    }
    Ok(BaseFile { name: file.to_owned(), size, sha256: hex(&sum.finalize()) })
}

/// Length and sum of a file that is there.
pub(super) fn summed(folder: &Path, name: &str) -> Result<BaseFile, SourceError> {
    let path = folder.join(name);
    let mut file = File::open(&path).map_err(SourceError::io(&path))?;
    let unreadable = |_, error| SourceError::io(&path)(error);
    receive(&mut file, &mut std::io::sink(), &path, name, &mut |_| (), unreadable)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |text, byte| text + &format!("{byte:02x}"))
}

/// The file has the sum that it must have, where there is such a sum.
pub(super) fn check_sum(file: &BaseFile, expected: Option<&str>) -> Result<(), SourceError> {
    match expected {
        Some(expected) if expected != file.sha256 => Err(SourceError::Hash {
            file: file.name.clone(),
            expected: expected.to_owned(),
            found: file.sha256.clone(),
        }),
        _ => Ok(()),
    }
}

/// Every file that the alias pins is there, with its sum.
pub(super) fn check_pins(files: &[BaseFile], alias: Option<&Alias>) -> Result<(), SourceError> {
    for (name, sum) in alias.map_or(&[][..], |alias| alias.sums) {
        match files.iter().find(|file| file.name == *name) {
            Some(file) => check_sum(file, Some(sum))?,
            None => return Err(SourceError::Missing { file: (*name).to_owned() }),
        }
    }
    Ok(())
}

/// `config.json` is JSON, asks for no code of its own and says what the alias pins.
pub(super) fn check_config(folder: &Path, alias: Option<&Alias>) -> Result<(), SourceError> {
    let config = read_json::<Value>(folder, CONFIG_FILE)?;
    refuse_remote_code(&folder.join(CONFIG_FILE))?;
    if let Some((field, expected, found)) = alias.and_then(|alias| alias.wrong_field(&config)) {
        return Err(SourceError::Config { field, expected: expected.to_string(), found: found.to_string() });
    }
    Ok(())
}

/// The whole folder: configuration, tokenizer and weights are there and are what their names say.
pub(super) fn check(folder: &Path, alias: Option<&Alias>) -> Result<(), SourceError> {
    for file in [CONFIG_FILE, TOKENIZER_FILE] {
        if !folder.join(file).is_file() {
            return Err(SourceError::Missing { file: file.to_owned() });
        }
    }
    check_config(folder, alias)?;
    read_json::<serde::de::IgnoredAny>(folder, TOKENIZER_FILE)?;
    Weights::open(folder)?;
    Ok(())
}

fn read_json<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> Result<T, SourceError> {
    let path = folder.join(name);
    let text = std::fs::read(&path).map_err(SourceError::io(&path))?;
    serde_json::from_slice(&text)
        .map_err(|error| SourceError::NotJson { file: name.to_owned(), reason: error.to_string() })
}

/// Names of the files that make up the model in `folder`, sorted.
pub(super) fn model_files(folder: &Path) -> Result<Vec<String>, SourceError> {
    let mut names: Vec<String> = [CONFIG_FILE, TOKENIZER_FILE].map(str::to_owned).into();
    if folder.join(WEIGHTS_FILE).exists() {
        names.push(WEIGHTS_FILE.to_owned());
    } else {
        let index = crate::weights::Index::read(&folder.join(INDEX_FILE))?;
        names.push(INDEX_FILE.to_owned());
        names.extend(index.names().into_iter().map(str::to_owned));
    }
    names.extend(OPTIONAL_FILES.iter().filter(|name| folder.join(name).is_file()).map(|&name| name.to_owned()));
    names.sort_unstable();
    Ok(names)
}

/// The licence that the model card names: `license:` in the YAML block at its head.
pub(super) fn licence(folder: &Path) -> Option<String> {
    let card = std::fs::read_to_string(folder.join(README_FILE)).ok()?;
    let block = card.strip_prefix("---")?.split("\n---").next()?;
    let value = block.lines().find_map(|line| line.strip_prefix("license:"))?.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_card_names_the_licence() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(licence(folder.path()), None);
        for (card, expected) in [
            ("---\nlanguage: en\nlicense: apache-2.0\ntags:\n- a\n---\n# Model\n", Some("apache-2.0")),
            ("---\nlicense: \"mit\"\n---\n", Some("mit")),
            ("---\nlanguage: en\n---\nlicense: none of the head\n", None),
            ("# Model\nlicense: mit\n", None),
        ] {
            std::fs::write(folder.path().join(README_FILE), card).unwrap();
            assert_eq!(licence(folder.path()).as_deref(), expected, "{card}");
        }
    }

    #[test]
    fn a_sum_is_that_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("abc"), "abc").unwrap();
        let file = summed(folder.path(), "abc").unwrap();
        assert_eq!(file.size, 3);
        // FIPS 180-4, the one-block example.
        assert_eq!(file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
