//! `nomen registry`: versions of a model, which of them is live, and the way back.

mod add;
mod diff;
mod list;
mod pull;
mod push;
mod show;
mod stage;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use operate::registry::{Access, Place, Registry, VersionName, VersionNameError};

use crate::versions;

/// Keep versions of a model: add, promote, roll back, compare, push and pull
#[derive(Args)]
#[command(after_help = HELP, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
A registry is a folder of immutable models by content hash, with what each was made from, the
gates that judged it, and a history that is only ever added to. One version is live; every
command that takes --model takes a registry and uses its live version.
A version is named live, by its number (v3), or by the first digits of its hash.
Without --registry the project's folder `registry` is meant; file: URLs are taken, too.

s3://BUCKET/PREFIX is a registry in an object store that knows conditional writes. Address and
key are read from AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_SESSION_TOKEN. A model that is used is fetched once, into the cache (NOMEN_CACHE).

Examples:
  nomen registry add runs/week-7/model-best --registry models
  nomen registry promote v3 --registry models --gate gate.json
  nomen registry rollback --registry models
  nomen tag --model models letters.txt
  nomen tag --model registry:models@v2 letters.txt
  nomen registry add runs/week-7/model-best --registry s3://acme-models/news
  nomen tag --model s3://acme-models/news letters.txt";

#[derive(Subcommand)]
enum Command {
    Add(add::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Promote(stage::Promote),
    Rollback(stage::Rollback),
    Archive(stage::Archive),
    Diff(diff::Arguments),
    Push(push::Arguments),
    Pull(pull::Arguments),
    Verify(verify::Arguments),
}

/// Which registry, and how it answers.
#[derive(Args)]
struct Common {
    /// Folder, file: or s3: URL of the registry [default: the project's]
    #[arg(long, value_name = "PLACE")]
    registry: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl Common {
    fn place(&self) -> anyhow::Result<Place> {
        versions::registry_place(self.registry.as_deref())
    }

    fn open(&self) -> anyhow::Result<Registry> {
        Ok(Registry::open(self.place()?, &Access::from_env())?)
    }
}

/// Takes the name of a version.
fn version(name: &str) -> Result<VersionName, String> {
    name.parse().map_err(|error: VersionNameError| error.to_string())
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Add(arguments) => add::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Promote(arguments) => stage::promote(arguments),
        Command::Rollback(arguments) => stage::rollback(arguments),
        Command::Archive(arguments) => stage::archive(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Push(arguments) => push::run(arguments),
        Command::Pull(arguments) => pull::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
    }
}
