//! The commands, in the order of the life cycle.

mod check;
mod collect;
mod convert;
mod evaluate;
mod gate;
mod generate;
mod init;
mod monitor;
mod prepare;
mod quantize;
mod quickstart;
mod registry;
mod runs;
mod serve;
mod split;
mod studio;
mod suggest;
mod tag;
mod train;
mod update;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::train::program;

/// Train, score and run named entity recognition on your own text, on a CPU.
#[derive(Parser)]
#[command(name = "nomen", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
`nomen COMMAND --help` shows a command's options and examples.
Results go to standard output, progress and notes to standard error.
Exit codes: 0 done, 1 done and the answer is no, 2 wrong usage or input.";

#[derive(Subcommand)]
enum Command {
    Quickstart(quickstart::Arguments),
    Init(init::Arguments),
    Collect(collect::Arguments),
    Prepare(prepare::Arguments),
    Suggest(suggest::Arguments),
    Generate(generate::Arguments),
    Convert(convert::Arguments),
    Check(check::Arguments),
    Split(split::Arguments),
    Studio(studio::Arguments),
    Train(train::Arguments),
    Update(update::Arguments),
    Runs(runs::Arguments),
    Evaluate(evaluate::Arguments),
    Quantize(quantize::Arguments),
    Tag(tag::Arguments),
    Gate(gate::Arguments),
    Registry(registry::Arguments),
    Serve(serve::Arguments),
    Monitor(monitor::Arguments),
}

/// Runs the command that was asked for.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Quickstart(arguments) => quickstart::run(arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Collect(arguments) => collect::run(arguments),
        Command::Prepare(arguments) => prepare::run(arguments),
        Command::Suggest(arguments) => suggest::run(arguments),
        Command::Generate(arguments) => generate::run(arguments),
        Command::Convert(arguments) => convert::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Split(arguments) => split::run(arguments),
        Command::Studio(arguments) => studio::run(arguments),
        Command::Train(arguments) => train::run(arguments),
        Command::Update(arguments) => update::run(arguments),
        Command::Runs(arguments) => runs::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Quantize(arguments) => quantize::run(arguments),
        Command::Tag(arguments) => tag::run(arguments),
        Command::Gate(arguments) => gate::run(arguments),
        Command::Registry(arguments) => registry::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Monitor(arguments) => monitor::run(arguments),
    }
}
