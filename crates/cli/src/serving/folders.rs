//! Where the server's models come from: folders and registries.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use anyhow::Context as _;
use model::{Recognizer, bundle::MANIFEST_FILE, weights::WEIGHTS_FILE};
use operate::registry::VersionId;
use serde_json::{Value, json};
use serve::{Open, Opened};

use super::{Predictions, tagger::ModelTagger};
use crate::{recognizer::RunArguments, versions};

/// Files by which a folder's version is known without opening it.
const MARKED: [&str; 3] = ["nomen.json", "config.json", "model.safetensors"];

/// Folders of models by name.
pub struct Folders {
    by_name: BTreeMap<String, PathBuf>,
    run: RunArguments,
    predictions: Option<Arc<Predictions>>,
}

impl Folders {
    /// Folders of models by name; the log is told which versions are opened.
    pub fn new(by_name: BTreeMap<String, PathBuf>, run: RunArguments, predictions: Option<Arc<Predictions>>) -> Self {
        Self { by_name, run, predictions }
    }

    fn named(&self, name: &str) -> Result<&Path, String> {
        self.by_name.get(name).map(PathBuf::as_path).ok_or_else(|| format!("there is no model `{name}`"))
    }
}

impl Open for Folders {
    fn open(&self, name: &str) -> Result<Opened, String> {
        let named = self.named(name)?;
        // Looked at first: what changes while it is opened is opened again.
        let mark = self.mark(name)?;
        let open = || -> anyhow::Result<_> {
            let folder = versions::folder(named)?;
            let (version, recognizer) = (version(&folder)?, self.run.open(&folder)?);
            if let Some(predictions) = &self.predictions {
                predictions.opened(name, &version, &recognizer, &folder)?;
            }
            Ok((version, recognizer))
        };
        let (version, recognizer) = open().map_err(|error| format!("{error:#}"))?;
        recognizer.check_itself()?;
        let card = card(&recognizer);
        let tagger = ModelTagger::new(recognizer);
        Ok(Opened { tagger: Box::new(tagger), version, card, mark })
    }

    fn mark(&self, name: &str) -> Result<String, String> {
        let named = self.named(name)?;
        if let Some(version) = versions::live(named).map_err(|error| format!("{error:#}"))? {
            return Ok(version);
        }
        let folder = named.canonicalize().map_err(|error| format!("{}: {error}", named.display()))?;
        let mut mark = folder.display().to_string();
        for file in MARKED {
            let Ok(metadata) = std::fs::metadata(folder.join(file)) else { continue };
            let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let changed = changed.unwrap_or_default().as_nanos().to_string();
            for part in [" ", file, " ", &metadata.len().to_string(), " ", &changed] {
                mark.push_str(part);
            }
        }
        Ok(mark)
    }
}

/// The version of the model in a folder, as a registry has it: the sum of its manifest, which has the sums of all its files. A model
/// of transformers' has none, and its weights are summed.
fn version(folder: &Path) -> anyhow::Result<String> {
    let files = [MANIFEST_FILE, WEIGHTS_FILE].map(|name| folder.join(name));
    let path = files.iter().find(|path| path.is_file()).unwrap_or(&files[1]);
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(VersionId::of(&bytes).to_string())
}

/// What `/info` says of a model.
fn card(recognizer: &Recognizer) -> Value {
    let manifest = &recognizer.bundle().manifest;
    json!({
        "labels": manifest.schema.definitions(),
        "scores": manifest.scores,
        "base": manifest.base,
        "run": manifest.run,
        "data": manifest.data,
        "codec": manifest.codec,
        "nomen": manifest.nomen,
    })
}
