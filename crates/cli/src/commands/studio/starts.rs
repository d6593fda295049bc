//! The commands of runs that are started from a page.

use std::{env, path::Path};

use annotate::studio::{StartRun, Training};
use anyhow::Context as _;

/// Starts this program again.
pub struct Starts {
    program: String,
}

impl Starts {
    /// What this program was started as.
    pub fn new() -> anyhow::Result<Self> {
        let program = env::current_exe().context("the system does not tell where this program is")?;
        Ok(Self { program: program.display().to_string() })
    }
}

impl StartRun for Starts {
    fn train(&self, training: &Training) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut words = vec![self.program.clone(), "train".to_owned()];
        words.extend(["--train".to_owned(), path(&training.train), "--dev".to_owned(), path(&training.dev)]);
        words.extend(["--out".to_owned(), path(&training.out)]);
        if !training.base.is_empty() {
            words.extend(["--base".to_owned(), training.base.clone()]);
        }
        for setting in &training.settings {
            words.extend(["--set".to_owned(), setting.clone()]);
        }
        words
    }

    fn tag(&self, model: &Path, file: &Path) -> Vec<String> {
        let words = ["tag".to_owned(), "--json".to_owned(), "--model".to_owned(), model.display().to_string()];
        [self.program.clone()].into_iter().chain(words).chain([file.display().to_string()]).collect()
    }
}
