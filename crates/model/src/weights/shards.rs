//! `model.safetensors.index.json`: which shard holds which tensor, as transformers writes it for large models.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::WeightsError;
use super::header::short;

/// The index's own fields; `metadata` (the total size) says nothing that the shards do not.
#[derive(Deserialize)]
pub(crate) struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    /// Reads and checks the index. Every shard is a plain file name ending in `.safetensors`.
    pub(crate) fn read(path: &Path) -> Result<Self, WeightsError> {
        let json = |reason| WeightsError::Json { path: path.to_owned(), reason };
        let text = std::fs::read(path).map_err(|source| WeightsError::Io { path: path.to_owned(), source })?;
        let index: Self = serde_json::from_slice(&text).map_err(|error| json(error.to_string()))?;
        if index.weight_map.is_empty() {
            return Err(json("`weight_map` is empty".to_owned()));
        }
        for file in index.names() {
            let plain = !file.starts_with('.') && !file.contains(['/', '\\', ':', '\0']);
            if !plain || Path::new(file).extension().is_none_or(|extension| extension != "safetensors") {
                let file = short(file);
                return Err(json(format!("shard {file:?} is not the name of a .safetensors file in this folder")));
            }
        }
        Ok(index)
    }

    /// Names of the shards, sorted.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }

    /// Paths of the shards in `folder`.
    pub(super) fn files(&self, folder: &Path) -> Vec<PathBuf> {
        self.names().into_iter().map(|name| folder.join(name)).collect()
    }

    /// Every tensor is in the shard that the index says; `shard_of` tells where it really is.
    pub(super) fn check<'a>(
        &self,
        path: &Path,
        shard_of: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), WeightsError> {
        for (name, file) in &self.weight_map {
            let found = match shard_of(name) {
                Some(found) if found == file => continue,
                Some(other) => format!("in {other}"),
                None => "in none of the shards".to_owned(),
            };
            let (name, file) = (short(name), file.clone());
            return Err(WeightsError::Index { path: path.to_owned(), name, file, found });
        }
        Ok(())
    }
}
