//! The labels that a project has, from a file.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use schema::{LabelDefinition, Schema};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    labels: Vec<LabelDefinition>,
}

/// The schema of a TOML file with one `[[labels]]` table a label: `name`, and if wanted `definition` and `examples`.
pub fn schema(path: &Path) -> anyhow::Result<Schema> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let file: SchemaFile = toml::from_str(&text).with_context(|| {
        format!("{} is not a schema; a label is written as [[labels]] name = \"PERSON\"", path.display())
    })?;
    if file.labels.is_empty() {
        bail!("{}: there is no label in it; write one as [[labels]] name = \"PERSON\"", path.display());
    }
    Schema::new(file.labels).with_context(|| path.display().to_string())
}
