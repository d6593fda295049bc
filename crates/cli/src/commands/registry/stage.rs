//! `nomen registry promote`, `rollback` and `archive`: which version is live.

use std::{path::PathBuf, process::ExitCode};

use anyhow::bail;
use clap::Args;
use operate::registry::{Promoted, Promotion, VersionName};

use super::{Common, add};
use crate::{output, versions};

/// Make a version live
#[derive(Args)]
#[command(after_help = "\
A version that follows a live one needs the report of a gate that it passed against that very
version. --force promotes it without, for a reason that goes into the history.

Examples:
  nomen gate --model registry:models@v3 --against models --test test.jsonl --json > gate.json
  nomen registry promote v3 --registry models --gate gate.json
  nomen registry promote v3 --registry models --force --reason 'the old labels are retired'")]
pub struct Promote {
    #[command(flatten)]
    common: Common,
    /// A number such as v3, or digits of the hash
    #[arg(value_name = "VERSION", value_parser = super::version)]
    version: VersionName,
    /// Report of `nomen gate --json`; not needed if it was given to `add`
    #[arg(long, value_name = "gate.json")]
    gate: Option<PathBuf>,
    /// Promote it although no gate was passed
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", requires = "force")]
    reason: Option<String>,
}

/// Make the version live again that was live before
#[derive(Args)]
pub struct Rollback {
    #[command(flatten)]
    common: Common,
    /// Go back to this version, not just one
    #[arg(long, value_name = "VERSION", value_parser = super::version)]
    to: Option<VersionName>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Put a candidate aside; it stays in the registry
#[derive(Args)]
pub struct Archive {
    #[command(flatten)]
    common: Common,
    /// A number such as v3, or digits of the hash
    #[arg(value_name = "VERSION", value_parser = super::version)]
    version: VersionName,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub fn promote(arguments: &Promote) -> anyhow::Result<ExitCode> {
    let gate = arguments.gate.as_deref().map(add::report).transpose()?;
    let forced = arguments.reason.as_deref().filter(|_| arguments.force);
    if forced.is_some_and(|reason| reason.trim().is_empty()) {
        bail!("--reason is empty; say why the version is promoted without a gate");
    }
    let promotion = Promotion { version: &arguments.version, gate: gate.as_deref(), forced, at: versions::now() };
    tell(&arguments.common, &arguments.common.open()?.promote(&promotion)?)
}

pub fn rollback(arguments: &Rollback) -> anyhow::Result<ExitCode> {
    let registry = arguments.common.open()?;
    let promoted = registry.roll_back(arguments.to.as_ref(), arguments.reason.as_deref(), versions::now())?;
    tell(&arguments.common, &promoted)
}

fn tell(common: &Common, promoted: &Promoted) -> anyhow::Result<ExitCode> {
    if common.json {
        output::print_json(promoted)?;
    } else {
        let from = promoted.from.as_ref().map(|from| format!(" in the place of {}", from.short())).unwrap_or_default();
        output::print(&format!("v{} ({}) is live{from}\n", promoted.number, promoted.live.short()))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn archive(arguments: &Archive) -> anyhow::Result<ExitCode> {
    let registry = arguments.common.open()?;
    let id = registry.archive(&arguments.version, arguments.reason.as_deref(), versions::now())?;
    if arguments.common.json {
        output::print_json(&serde_json::json!({"archived": id}))?;
    } else {
        output::print(&format!("{} is archived\n", id.short()))?;
    }
    Ok(ExitCode::SUCCESS)
}
