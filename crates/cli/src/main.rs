//! The `nomen` command line: one file a command, and the only place where the parts of Nomen are wired together.

mod batches;
mod checking;
mod commands;
mod counterfactual;
mod failure;
mod fetching;
mod gating;
mod input;
mod joining;
mod judgement;
mod logging;
mod monitoring;
mod output;
mod parts;
mod preparing;
mod progress;
mod project;
mod recognizer;
mod remote;
mod scores;
mod seen;
mod serving;
mod signals;
mod split_record;
mod suggesting;
mod table;
mod training;
mod versions;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    failure::exit_code(commands::run(&commands::Arguments::parse()))
}
