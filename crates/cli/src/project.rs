//! A project: a folder with `nomen.toml`, which says where its files are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
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
    pub tracking: Tracking,
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

/// Where runs are shown beside their events.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tracking {
    /// As for `--track`.
    pub to: Vec<String>,
    /// Name of the experiment at MLflow.
    pub experiment: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            schema: "schema.toml".into(),
            data: Data::default(),
            model: Model::default(),
            tracking: Tracking::default(),
        }
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

    /// What the project is called: as its folder.
    pub fn name(&self) -> String {
        self.root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// A path of the project file, as a command takes it that runs in this folder.
    pub fn path(&self, of_project: &Path) -> PathBuf {
        let path = self.root.join(of_project);
        let here = env::current_dir().unwrap_or_default();
        path.strip_prefix(&here).map_or(path.clone(), Path::to_owned)
    }

    /// The file of one set, whether it is there or not.
    pub fn set(&self, choose: impl FnOnce(&Data) -> &PathBuf) -> PathBuf {
        self.path(choose(&self.config.data))
    }

    /// The file of one set, where it is there.
    pub fn present(&self, choose: impl FnOnce(&Data) -> &PathBuf) -> Option<PathBuf> {
        Some(self.set(choose)).filter(|file| file.is_file())
    }

    /// All sets that are there.
    pub fn all_present(&self) -> Vec<PathBuf> {
        let sets: [fn(&Data) -> &PathBuf; 3] = [|data| &data.train, |data| &data.dev, |data| &data.test];
        sets.into_iter().filter_map(|set| self.present(set)).collect()
    }

    /// The project's labels; `None` while it has none.
    pub fn schema(&self) -> anyhow::Result<Option<Schema>> {
        Ok(Some(schema(&self.path(&self.config.schema))?).filter(|schema| !schema.is_empty()))
    }

    /// The base model's spec.
    pub fn base(&self) -> &str {
        &self.config.model.base
    }

    /// Where runs are shown.
    pub fn tracking(&self) -> &Tracking {
        &self.config.tracking
    }

    /// The folder of the training runs.
    pub fn runs(&self) -> PathBuf {
        self.path(&self.config.model.runs)
    }

    /// The folder of a training run: of the newest, or of one to come.
    pub fn run(&self, newest: bool) -> anyhow::Result<PathBuf> {
        let runs = self.runs();
        let run = |number: u32| runs.join(format!("run-{number}"));
        let next = (1..u32::MAX).find(|number| !run(*number).exists()).unwrap_or(u32::MAX);
        match (newest, next) {
            (false, next) => Ok(run(next)),
            (true, 1) => Err(anyhow!("there is no run in {} to go on with", runs.display())),
            (true, next) => Ok(run(next - 1)),
        }
    }
}

/// What a command was given, or what the project has in its place.
///
/// # Errors
/// Nothing was given and the current folder belongs to no project; `option` names what is missing then.
pub fn given_or<T>(
    given: Option<T>,
    option: &str,
    of_project: impl FnOnce(Project) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match given {
        Some(given) => Ok(given),
        None => match Project::find()? {
            Some(project) => of_project(project),
            None => Err(anyhow!("{option} is missing; give it, or work in a project (`nomen init DIR`)")),
        },
    }
}

/// The labels that a schema file defines; there may be none yet.
pub fn schema(path: &Path) -> anyhow::Result<Schema> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let file: SchemaFile = toml::from_str(&text).with_context(|| {
        format!("{} is no schema; a label is written as [[labels]] name = \"PERSON\"", path.display())
    })?;
    Ok(file.labels)
}
