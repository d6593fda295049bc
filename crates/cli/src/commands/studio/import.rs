//! Files into the studio's database.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use annotate::studio::import::{self, How};
use clap::Args;
use corpus::Format;
use serde::Serialize;
use store::Given;

use super::place::{self, Place};
use crate::{input, output};

/// Add the documents of files to the studio; the same file again adds nothing
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Texts, annotated or not
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Show the annotations to whoever annotates, without taking them for decided
    #[arg(long)]
    shown: bool,
    /// Add labels that the project does not have to its schema
    #[arg(long)]
    add_labels: bool,
    /// Format of the files; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
    /// Print what was added as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Annotated documents count as decided; others wait to be annotated. A document is known by its text and
id, so an import that was interrupted goes on when it is called again. A project without labels takes
those of its first file; later on, unknown labels are refused unless --add-labels is given.

Examples:
  nomen studio import raw/letters.txt
  nomen studio import export.json --shown --add-labels";

#[derive(Serialize)]
struct Answer {
    file: String,
    added: u32,
    known: u32,
    differing: Vec<u32>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // Every file is read before the first is added.
    let mut files = Vec::new();
    for file in &arguments.files {
        files.push((file, input::documents(file, arguments.format)?.0));
    }
    let given = if arguments.shown { Given::Shown } else { Given::Decided };
    let how = How { given, adds_labels: arguments.add_labels };
    let answers = place::runtime()?.block_on(async {
        let opened = arguments.place.open().await?;
        let mut answers = Vec::new();
        for (file, documents) in files {
            // The file before may have brought labels.
            let project = opened.store.project(opened.project.id).await?;
            let done = import::documents(&opened.store, &project, opened.user.id, &documents, how).await?;
            let file = file.display().to_string();
            answers.push(Answer { file, added: done.added, known: done.known, differing: done.differing });
        }
        opened.store.close().await;
        anyhow::Ok(answers)
    })?;
    if arguments.json {
        output::print_json(&answers)?;
    } else {
        output::print(&answers.iter().map(told).collect::<String>())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(answer: &Answer) -> String {
    let Answer { file, added, known, differing } = answer;
    let mut line = format!("{file}: {added} new, {known} known\n");
    if !differing.is_empty() {
        let first: Vec<String> = differing.iter().take(10).map(u32::to_string).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            line,
            "  {} that were there have other annotations in the file and stay as they were: {}{}",
            differing.len(),
            first.join(", "),
            if differing.len() > 10 { ", ..." } else { "" }
        );
    }
    line
}
