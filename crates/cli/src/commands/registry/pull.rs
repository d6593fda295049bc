//! `nomen registry pull`: a model of others becomes a version.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use operate::registry::{self, Repository, VersionId};

use super::{Common, add::Incoming};
use crate::output;

/// Add a model from a model folder or from a hub's cache
#[derive(Args)]
#[command(after_help = "\
Without --name, --from is a model folder; with it, a cache as huggingface_hub keeps it. Every
file is compared with its sum. --expect refuses any other version than the one it names.

Examples:
  nomen registry pull --registry models --from news-ner
  nomen registry pull --registry models --from hub --name acme/news-ner --revision 0f3c...")]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Folder to read
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Name on the hub; makes --from a cache of models
    #[arg(long, value_name = "OWNER/NAME")]
    name: Option<Repository>,
    /// Revision or branch [default: main]
    #[arg(long, value_name = "REVISION", requires = "name")]
    revision: Option<String>,
    /// The version that it has to be: all 64 digits of its hash
    #[arg(long, value_name = "HASH")]
    expect: Option<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let digits = arguments.expect.as_deref();
    let expected = digits
        .map(|digits| {
            VersionId::new(digits).with_context(|| format!("--expect {digits}: expected 64 hexadecimal digits"))
        })
        .transpose()?;
    let folder = match &arguments.name {
        Some(name) => registry::pull(&arguments.from, name, arguments.revision.as_deref())?,
        None => arguments.from.clone(),
    };
    let source = match &arguments.name {
        Some(name) => {
            let revision = folder.file_name().map(|name| name.to_string_lossy().into_owned());
            format!("{name}@{}", revision.unwrap_or_default())
        }
        None => folder.display().to_string(),
    };
    let incoming = Incoming { source: &source, parent: None, note: None, expected: expected.as_ref() };
    let added = incoming.add(&arguments.common.place()?, &folder)?;
    if arguments.common.json {
        output::print_json(&added)?;
    } else {
        let was_known = if added.was_known { " was there before" } else { "" };
        output::print(&format!("v{} ({}){was_known}, from {source}\n", added.number, added.id.short()))?;
    }
    Ok(ExitCode::SUCCESS)
}
