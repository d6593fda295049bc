//! The model that a command was given.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use model::{Bundle, Recognizer, Workers};

use crate::versions;

/// Which model, and how it is run.
#[derive(Args)]
pub struct ModelArguments {
    /// Model that `nomen train` left, a transformers token classifier, or a registry by its folder or
    /// s3: URL (its live version; registry:DIR@v2 for another)
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    #[command(flatten)]
    pub run: RunArguments,
}

/// How a model is run.
#[derive(Args)]
pub struct RunArguments {
    /// Number format of the computation; int8 is faster and a little less exact [default: the stored weights' own]
    #[arg(long, value_enum)]
    precision: Option<Precision>,
    /// Worker threads [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Precision {
    F32,
    Int8,
}

impl From<Precision> for engine::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Int8 => Self::Int8,
        }
    }
}

impl ModelArguments {
    /// Opens the model.
    pub fn open(&self) -> anyhow::Result<Recognizer> {
        self.run.open(&versions::folder(&self.model)?)
    }
}

impl RunArguments {
    /// The same with what settings say where the command line says nothing.
    pub fn or(&self, precision: Option<&str>, threads: Option<usize>) -> anyhow::Result<Self> {
        let precision = match (self.precision, precision) {
            (None, Some(name)) => Some(
                Precision::from_str(name, true)
                    .map_err(|_| anyhow!("`precision` is `{name}`; it must be f32 or int8"))?,
            ),
            (given, _) => given,
        };
        Ok(Self { precision, threads: self.threads.or(threads.and_then(NonZeroUsize::new)) })
    }

    /// Opens the model in a folder.
    pub fn open(&self, folder: &Path) -> anyhow::Result<Recognizer> {
        let best = folder.join("model-best");
        let bundle = Bundle::open(folder);
        if bundle.is_err() && best.is_dir() && !folder.join("config.json").exists() {
            return Err(anyhow!(
                "{} is the folder of a training run, not of a model; name the model: --model {}",
                folder.display(),
                best.display()
            ));
        }
        let bundle = bundle?;
        let precision = self.precision.map_or(bundle.classifier.stored(), Into::into);
        let workers = self.threads.map_or_else(Workers::all, Workers::new);
        Ok(bundle.into_recognizer(workers.with_precision(precision)))
    }
}
