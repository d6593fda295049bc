//! `nomen registry verify`: whether everything is as it was written.

use std::process::ExitCode;

use clap::Args;

use super::Common;
use crate::output;

/// Sum every file again and follow the history; exit code 1 when something is wrong
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let problems = arguments.common.open()?.verify()?;
    if arguments.common.json {
        output::print_json(&problems)?;
    } else if problems.is_empty() {
        output::print("everything is as it was written\n")?;
    } else {
        let line = |problem: &operate::registry::Problem| format!("{}: {}\n", problem.path, problem.problem);
        output::print(&problems.iter().map(line).collect::<String>())?;
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
