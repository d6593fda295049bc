//! `nomen.json`: what a bundle was made from.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path},
};

use schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{BundleError, SelfTest};
use crate::{base::hex, codec::CodecSettings};

/// Name of the manifest in a bundle.
pub const MANIFEST_FILE: &str = "nomen.json";

/// The format that this build writes; older ones are read for ever, newer ones refused.
const FORMAT: u32 = 1;

/// What a bundle was made from, and the sums of its files. Written last: a folder that has it is whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's format.
    pub format: u32,
    /// Version of Nomen that wrote it.
    pub nomen: String,
    /// The labels and their definitions.
    pub schema: Schema,
    /// How texts are cut.
    pub codec: CodecSettings,
    /// The run's settings as they were resolved, `null` where there was no run.
    #[serde(default)]
    pub run: Value,
    /// The base model: its source and the sums of its files.
    #[serde(default)]
    pub base: Value,
    /// Fingerprints of the data.
    #[serde(default)]
    pub data: Value,
    /// The scores that were measured.
    #[serde(default)]
    pub scores: Value,
    /// What the model said of a few texts when it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_test: Option<SelfTest>,
    /// Every other file of the bundle.
    #[serde(default)]
    pub files: BTreeMap<String, FileSum>,
}

/// Length and sum of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// A manifest that knows of no run.
    pub fn new(schema: Schema, codec: CodecSettings) -> Self {
        Self {
            format: FORMAT,
            nomen: env!("CARGO_PKG_VERSION").to_owned(),
            schema,
            codec,
            run: Value::Null,
            base: Value::Null,
            data: Value::Null,
            scores: Value::Null,
            self_test: None,
            files: BTreeMap::new(),
        }
    }

    /// Reads the manifest of a folder, if it has one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, BundleError> {
        let path = folder.join(MANIFEST_FILE);
        let manifest = match super::read_json(&path) {
            Ok(manifest) => manifest,
            Err(BundleError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let format = manifest.get("format");
        let problem = match format.and_then(Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => None,
            Some(format) if format > u64::from(FORMAT) => Some(format!(
                "format: expected at most {FORMAT}, found {format}; the bundle is from a newer nomen, update this one"
            )),
            _ => Some(format!("format: expected {FORMAT}, found {}", format.unwrap_or(&Value::Null))),
        };
        if let Some(problem) = problem {
            return Err(BundleError::Disagree { path, problem });
        }
        serde_json::from_value(manifest).map(Some).map_err(|error| BundleError::Json { path, error })
    }

    /// The manifest with the sums of the files that lie in `folder`.
    pub(super) fn with_sums(&self, folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != MANIFEST_FILE {
                let mut sum = Sha256::new();
                let size = io::copy(&mut fs::File::open(entry.path())?, &mut HashWriter(&mut sum))?;
                let sha256 = hex(&sum.finalize());
                files.insert(name, FileSum { size, sha256 });
            }
        }
        Ok(Self { files, nomen: env!("CARGO_PKG_VERSION").to_owned(), ..self.clone() })
    }

    /// What of the listed files is gone or has another length. Sums are left to whoever has the time: summing the
    /// weights would cost more than opening them.
    pub(super) fn changed_files(&self, folder: &Path) -> Vec<String> {
        self.files
            .iter()
            .filter_map(|(name, sum)| {
                let mut parts = Path::new(name).components();
                if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                    return Some(format!("files: expected names of files in this folder, found {name:?}"));
                }
                match fs::metadata(folder.join(name)) {
                    Ok(found) if found.len() == sum.size => None,
                    Ok(found) => Some(format!("{name}: expected {} bytes, found {}", sum.size, found.len())),
                    Err(error) => Some(format!("{name}: expected {} bytes, found {error}", sum.size)),
                }
            })
            .collect()
    }
}

struct HashWriter<'h>(&'h mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
