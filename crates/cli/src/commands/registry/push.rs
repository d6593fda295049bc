//! `nomen registry push`: a version for others, in the layout that transformers and its hub know.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use model::bundle::TEXTS_FILE;
use operate::registry::{self, Card, Repository, VersionName};
use serde_json::Value;

use super::Common;
use crate::output;

/// Write a version and its model card as a model folder, or into a hub's cache
#[derive(Args)]
#[command(after_help = "\
Without --name, --to becomes a model folder. With it, --to is a cache as huggingface_hub keeps
it, and the printed revision can be pinned. README.md is the model card, written from what the
bundle knows: data, labels, scores, limits, sums. Hand over what `nomen evaluate --json` printed
for intervals by label and slices. Nothing is sent anywhere.

Examples:
  nomen registry push live --registry models --to news-ner
  nomen evaluate --model models --data test.jsonl --slice meta.source --json > scores.json
  nomen registry push live --registry models --to hub --name acme/news-ner --evaluation scores.json \\
    --licence apache-2.0 --language en")]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// live, a number such as v3, or digits of the hash
    #[arg(value_name = "VERSION", value_parser = super::version)]
    version: VersionName,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Name on the hub; makes --to a cache of models
    #[arg(long, value_name = "OWNER/NAME")]
    name: Option<Repository>,
    /// What `nomen evaluate --json` printed
    #[arg(long, value_name = "FILE")]
    evaluation: Option<PathBuf>,
    /// Licence of the model, as the hub abbreviates it
    #[arg(long, value_name = "ID")]
    licence: Option<String>,
    /// Also give away the training texts that the model carries, if it does
    #[arg(long)]
    with_texts: bool,
    /// Languages of the texts, as codes
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    language: Vec<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let registry = arguments.common.open()?;
    let state = registry.state()?;
    let version = state.find(&arguments.version, &registry.place())?;
    let evaluation: Option<Value> = match &arguments.evaluation {
        None => None,
        Some(path) => {
            let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let evaluation: Value = serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is not what `nomen evaluate --json` prints", path.display()))?;
            evaluation
                .get("ents_per_type")
                .with_context(|| format!("{} is not what `nomen evaluate --json` prints", path.display()))?;
            Some(evaluation)
        }
    };
    let folder_name = || arguments.to.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = arguments.name.as_ref().map(ToString::to_string).or_else(folder_name);
    let contents = registry.contents(&version.id)?;
    if contents.files.contains_key(TEXTS_FILE) && !arguments.with_texts {
        bail!(
            "v{} carries training texts ({TEXTS_FILE}), which whoever gets the model can read; give them away with \
             --with-texts, or push a model that was made without keep_texts",
            version.number
        );
    }
    let card = Card {
        name: name.as_deref().unwrap_or("model"),
        contents: &contents,
        version,
        licence: arguments.licence.as_deref(),
        languages: &arguments.language,
        evaluation: evaluation.as_ref(),
    }
    .render();
    let pushed = match &arguments.name {
        Some(name) => registry::push(&registry, &version.id, &arguments.to, name, &card)?,
        None => registry::push_folder(&registry, &version.id, &arguments.to, &card)?,
    };
    if arguments.common.json {
        output::print_json(&pushed)?;
    } else {
        let revision = pushed.revision.map(|revision| format!(", revision {revision}")).unwrap_or_default();
        output::print(&format!("v{} is in {}{revision}\n", version.number, pushed.folder.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
