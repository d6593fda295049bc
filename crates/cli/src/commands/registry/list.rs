//! `nomen registry list`: all versions.

use std::process::ExitCode;

use clap::Args;
use operate::registry::{Contents, Place, Registry, RegistryError, Version, VersionId};
use serde::Serialize;
use serde_json::Value;

use super::Common;
use crate::{output, table::Table, versions};

/// List the versions
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    version: Version,
    /// F1 that the bundle notes, and the set that it was measured on.
    f1: Option<(String, f64)>,
    bytes: Option<u64>,
    folder: Place,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let registry = arguments.common.open()?;
    let state = registry.state()?;
    let rows = state.versions().iter().map(|version| row(&registry, version)).collect::<Result<Vec<Row>, _>>()?;
    if arguments.common.json {
        output::print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::default();
    table.row(["", "version", "stage", "added", "from", "F1", "MB", "gate"].map(str::to_owned));
    let number =
        |id: &VersionId| rows.iter().find(|row| row.version.id == *id).map(|row| format!("v{}", row.version.number));
    for Row { version, f1, bytes, .. } in &rows {
        let gate = version.gates.last().map_or("-", |gated| if gated.passed { "passed" } else { "failed" });
        table.row([
            format!("v{}", version.number),
            version.id.short().to_owned(),
            version.stage.to_string(),
            versions::moment(version.added),
            version.parent.as_ref().and_then(number).unwrap_or_else(|| "-".to_owned()),
            f1.as_ref().map_or("-".to_owned(), |(set, f1)| format!("{f1:.3} on {set}")),
            bytes.map_or("missing".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6)),
            gate.to_owned(),
        ]);
    }
    output::print(&table.render())?;
    Ok(ExitCode::SUCCESS)
}

fn row(registry: &Registry, version: &Version) -> Result<Row, RegistryError> {
    let contents = match registry.contents(&version.id) {
        // A store that does not answer says nothing about what lies in it.
        Err(error @ RegistryError::Store { .. }) => return Err(error),
        contents => contents.ok(),
    };
    let scores = contents.as_ref().and_then(|contents| contents.manifest.get("scores"));
    let f1 = |set: &str| Some((set.to_owned(), scores?.get(set)?.get("ents_f").and_then(Value::as_f64)?));
    Ok(Row {
        version: version.clone(),
        f1: f1("test").or_else(|| f1("dev")),
        bytes: contents.as_ref().map(Contents::size),
        folder: registry.version_place(&version.id),
    })
}
