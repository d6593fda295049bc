//! `nomen registry add`: a bundle becomes a version.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use model::Bundle;
use operate::registry::{Access, Addition, Contents, MANIFEST_FILE, Place, Registry, VersionId, VersionName};

use super::Common;
use crate::{output, progress::note, versions};

/// Add a model as a candidate
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Model that `nomen train` left, or a transformers token classifier
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The version that it was made from; found by its base where it is not told
    #[arg(long, value_name = "VERSION", value_parser = super::version)]
    parent: Option<VersionName>,
    /// Report of `nomen gate --json` that judged it
    #[arg(long, value_name = "gate.json")]
    gate: Option<PathBuf>,
    /// What to remember of it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let gate = arguments.gate.as_deref().map(report).transpose()?;
    let place = arguments.common.place()?;
    let added = Incoming {
        source: &arguments.model.display().to_string(),
        parent: arguments.parent.as_ref(),
        note: arguments.note.as_deref(),
        expected: None,
    }
    .add(&place, &arguments.model)?;
    if let Some(gate) = gate {
        arguments.common.open()?.record_gate(&gate, versions::now())?;
    }
    if arguments.common.json {
        output::print_json(&added)?;
        return Ok(ExitCode::SUCCESS);
    }
    let was_known = if added.was_known { " was there before" } else { "" };
    output::print(&format!("v{} ({}){was_known}\n", added.number, added.id.short()))?;
    Ok(ExitCode::SUCCESS)
}

/// The report of a gate in a file.
pub fn report(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// A model folder on its way into a registry.
pub struct Incoming<'a> {
    pub source: &'a str,
    pub parent: Option<&'a VersionName>,
    pub note: Option<&'a str>,
    pub expected: Option<&'a VersionId>,
}

impl Incoming<'_> {
    /// Adds the model after it was opened, so that whatever is in the registry can be. A model of transformers' becomes a bundle on
    /// the way.
    pub fn add(&self, place: &Place, model: &Path) -> anyhow::Result<operate::registry::Added> {
        let best = model.join("model-best");
        if best.is_dir() && !model.join("config.json").exists() {
            bail!(
                "{} is the folder of a training run, not of a model; name the model: {}",
                model.display(),
                best.display()
            );
        }
        let opened = Bundle::open(model)?;
        let converted = tempfile::tempdir().context("no folder for temporary files")?;
        let bundle = if model.join(MANIFEST_FILE).exists() {
            model.to_owned()
        } else {
            note(&format!("{}: a model of transformers'; it becomes a bundle", model.display()));
            let bundle = converted.path().join("bundle");
            opened.save_as(&bundle, opened.classifier.stored())?;
            bundle
        };
        drop(opened);
        let registry = Registry::open_or_create(place.clone(), &Access::from_env())?;
        let parent = match self.parent {
            Some(name) => Some(registry.state()?.find(name, place)?.id.clone()),
            None => None,
        };
        if place.as_path().is_none() {
            note(&format!(
                "{place}: sending what is not there, at most {:.1} MB",
                Contents::read(&bundle)?.size() as f64 / 1e6
            ));
        }
        let added = registry.add(&Addition {
            bundle: &bundle,
            source: self.source,
            parent: parent.as_ref(),
            note: self.note,
            expected: self.expected,
            at: versions::now(),
        })?;
        if !added.left_out.is_empty() {
            note(&format!("not part of the model, left out: {}", added.left_out.join(", ")));
        }
        Ok(added)
    }
}
