//! What a user may set: `run.toml`, and `--set key=value` before it.

mod error;
mod foreign;
mod keys;
mod layer;

use std::{fmt::Write as _, fs, path::Path};

use model::{base::BaseSpec, text::Alignment};
use serde::{Deserialize, Serialize};
use toml::Table;

pub use error::{ConfigError, Problem};

use crate::{Augment, Scheduler, Settings};

/// The commented default file: documentation and defaults in one.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// What a user has set; `None` lets [`crate::plan`] choose. The fields are those of [`Settings`], and the base.
///
/// [`RunConfig::default`] is what [`DEFAULTS`] says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the fields are documented in Settings and, for users, in default.toml
pub struct RunConfig {
    pub base: Option<BaseSpec>,
    pub learning_rate: Option<f64>,
    pub lr_scheduler: Option<Scheduler>,
    pub warmup_ratio: Option<f64>,
    pub num_train_epochs: Option<u32>,
    pub max_steps: Option<u64>,
    pub train_batch_size: Option<usize>,
    pub train_batch_pieces: Option<usize>,
    pub weight_decay: Option<f64>,
    pub max_grad_norm: Option<f64>,
    pub dropout: Option<f32>,
    pub bf16: Option<bool>,
    pub layer_decay: Option<f64>,
    pub l2_sp: Option<f64>,
    pub keep_texts: Option<usize>,
    pub freeze_embeddings: Option<bool>,
    pub freeze_layers: Option<usize>,
    pub alignment: Option<Alignment>,
    pub max_length: Option<usize>,
    pub stride: Option<usize>,
    pub eval_every: Option<u64>,
    pub patience: Option<u32>,
    /// Steps between two checkpoints; 0 for about one a minute.
    pub checkpoint_every: Option<u64>,
    pub seed: Option<u64>,
    pub threads: Option<usize>,
    #[serde(default)]
    pub augment: Augment,
}

impl Default for RunConfig {
    fn default() -> Self {
        toml::from_str(DEFAULTS).expect("the embedded defaults are read by a test")
    }
}

impl RunConfig {
    /// The configuration of a run: `overrides` (`key=value`, the last one first) before `file` before the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or it or an override names an unknown key or a value that is out of its range.
    pub fn load(file: Option<&Path>, overrides: &[impl AsRef<str>]) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = file {
            let text = fs::read_to_string(path).map_err(|error| ConfigError::Io { path: path.to_owned(), error })?;
            config = config.with_toml(&text, path)?;
        }
        overrides.iter().try_fold(config, |config, given| config.with_override(given.as_ref()))
    }

    /// With what a file says in place of what was set; `path` is named in errors.
    ///
    /// # Errors
    /// The text is not TOML, or names an unknown key or a value that is out of its range.
    pub fn with_toml(self, text: &str, path: &Path) -> Result<Self, ConfigError> {
        Ok(self.overlay(layer::of_file(text, path)?))
    }

    /// With what one `key=value` says in place of what was set. The value is TOML, or else a string; the key may
    /// carry spaCy's `training.` before it.
    ///
    /// # Errors
    /// There is no `=`, the key is unknown, or the value is out of its range.
    pub fn with_override(self, given: &str) -> Result<Self, ConfigError> {
        Ok(self.overlay(layer::of_override(given)?))
    }

    /// The configuration that repeats a run: nothing is left to choose but a dropout that was the base's own.
    #[allow(clippy::missing_panics_doc)] // the fields are the same, which a test proves
    pub fn of(base: BaseSpec, settings: &Settings) -> Self {
        let mut config: Self = table(settings).try_into().expect("every setting is a key of the configuration");
        config.base = Some(base);
        config
    }

    /// The default file with what is set filled in, comments and all. Read back it is this configuration.
    pub fn to_toml(&self) -> String {
        let set = table(self);
        let mut text = String::with_capacity(DEFAULTS.len());
        let mut section = "";
        for line in DEFAULTS.lines() {
            section = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).unwrap_or(section);
            let key = line.trim_start_matches("# ").split_once(" = ").map(|(key, _)| key);
            let value = |key| match section {
                "" => set.get(key),
                section => set.get(section)?.get(key),
            };
            match key.filter(|key| keys::find(section, key).is_some()) {
                Some(key) => match value(key) {
                    // Writing to a string cannot fail.
                    Some(value) => drop(write!(text, "{key} = {value}")),
                    None if line.starts_with('#') => text.push_str(line),
                    None => text.extend(["# ", line]),
                },
                None => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }

    fn overlay(self, over: Table) -> Self {
        let mut set = table(&self);
        layer::lay(&mut set, over);
        set.try_into().expect("keys and values were checked")
    }
}

fn table(settings: &impl Serialize) -> Table {
    Table::try_from(settings).expect("settings are plain numbers, flags and names")
}
