//! `nomen studio`: annotate, review and watch runs in the browser.

mod export;
mod import;
mod learning;
mod password;
mod place;
mod serve;
mod starts;
mod user;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use place::Place;

/// Annotate together in the browser: labels, review, quality, training runs
#[derive(Args)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    place: Place,
    /// Where to listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    addr: SocketAddr,
    /// A name by which the studio may be called, such as labels.example.org; may be repeated [default: those of
    /// this machine on a loopback address, all on another]
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Chain of certificates, PEM; with --key the studio speaks HTTPS
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Private key, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    #[command(flatten)]
    learning: learning::Arguments,
    /// Print the `OpenAPI` document of the JSON interface, and leave
    #[arg(long)]
    openapi: bool,
}

#[derive(Subcommand)]
enum Action {
    Import(import::Arguments),
    Export(export::Arguments),
    User(user::Arguments),
}

const HELP: &str = "\
Everything is kept in one database: the file nomen.db of the project, or --db postgres://USER@HOST/NAME.
On a loopback address it is for you alone, without a login. As soon as there is an account everybody
logs in; on an address that other machines reach it starts with accounts only.
Annotators see the text that they work on, reviewers everything, owners change labels, people and data.
Runs are processes of their own; Ctrl-C lets them save and leave. With --learn the studio starts one itself
whenever so many more documents are accepted; its model suggests on what is open and says what comes next.

Examples:
  nomen studio import raw/letters.txt data/train.jsonl
  nomen studio
  nomen studio --learn 100
  nomen studio user add ann --role owner
  nomen studio --addr 0.0.0.0:8090 --host labels.example.org --certificate chain.pem --key key.pem
  nomen studio export data/annotated.jsonl --history";

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Some(Action::Import(arguments)) => return import::run(arguments),
        Some(Action::Export(arguments)) => return export::run(arguments),
        Some(Action::User(arguments)) => return user::run(arguments),
        None => serve::run(arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
