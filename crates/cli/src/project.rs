//! A project: a folder with `nomen.toml`, which says where its files are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use schema::Schema;
use serde::{Deserialize, Serialize};

/// The file that makes a folder a project.
pub const FILE: &str = "nomen.toml";

/// A project's folder and what its `nomen.toml` says.
pub struct Project {
    root: PathBuf,
    config: Config,
}

/// What `nomen.toml` holds; paths count from its folder.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Labels and their definitions.
    pub schema: PathBuf,
    pub data: Data,
    pub model: Model,
}

/// Annotated texts.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    pub train: PathBuf,
    pub dev: PathBuf,
    pub test: PathBuf,
}

/// What is trained, and where it goes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The base model's spec.
    pub base: String,
    /// Folder of the training runs.
    pub runs: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self { schema: "schema.toml".into(), data: Data::default(), model: Model::default() }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self { train: "data/train.jsonl".into(), dev: "data/dev.jsonl".into(), test: "data/test.jsonl".into() }
    }
}

impl Default for Model {
    fn default() -> Self {
        Self { base: "minilm".into(), runs: "runs".into() }
    }
}

/// `schema.toml`: one `[[labels]]` table a label.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    labels: Schema,
}

impl Project {
    /// The project that the current folder belongs to: its own, or that of the nearest folder above with a `nomen.toml`.
    pub fn find() -> anyhow::Result<Option<Self>> {
        let here = env::current_dir().context("the current folder cannot be told")?;
        match here.ancestors().find(|folder| folder.join(FILE).is_file()) {
            None => Ok(None),
            Some(root) => Self::open(root).map(Some),
        }
    }

    fn open(root: &Path) -> anyhow::Result<Self> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let config = toml::from_str(&text).with_context(|| format!("{} is no project file", path.display()))?;
        Ok(Self { root: root.to_owned(), config })
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// A path of the project file, from where the command runs.
    pub fn path(&self, of_project: &Path) -> PathBuf {
        self.root.join(of_project)
    }

    /// The project's labels.
    pub fn schema(&self) -> anyhow::Result<Schema> {
        schema(&self.path(&self.config.schema))
    }
}

/// The labels that a schema file defines; there may be none yet.
pub fn schema(path: &Path) -> anyhow::Result<Schema> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let file: SchemaFile = toml::from_str(&text)
        .with_context(|| format!("{} is no schema; a label is written as [[labels]] name = \"PERSON\"", path.display()))?;
    Ok(file.labels)
}
