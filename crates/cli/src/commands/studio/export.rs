//! What was annotated, as a file.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use annotate::studio::export;
use anyhow::Context as _;
use clap::Args;
use corpus::{Format, WriteOptions, Writer};
use serde::Serialize;

use super::place::{self, Place};
use crate::{input, output, progress::note};

/// Write what was annotated in the studio; the same state gives the same bytes
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// File to write
    #[arg(value_name = "OUT")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Documents that nobody accepted as well, as partly annotated ones
    #[arg(long)]
    all: bool,
    /// Every version of every annotation too, in OUT.history.jsonl: who, when, and from which suggestions
    #[arg(long)]
    history: bool,
    /// Format of the file
    #[arg(long, value_parser = input::written_parser(), default_value = "jsonl")]
    format: Format,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Examples:
  nomen studio export data/annotated.jsonl --history
  nomen studio export annotated.conll --format conll";

#[derive(Serialize)]
struct Answer {
    documents: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let out = &arguments.out;
    let answer = place::runtime()?.block_on(async {
        let opened = arguments.place.open().await?;
        let mut writer = Writer::create(out, arguments.format, WriteOptions::default())?;
        let documents = export::documents(&opened.store, opened.project.id, !arguments.all, &mut writer).await?;
        let mut history = None;
        if arguments.history {
            let path = beside(out);
            let (store, project) = (&opened.store, opened.project.id);
            // Beside, then in place: a history that was broken off would pass for a whole one.
            let part = path.with_extension("part");
            let failed = || format!("{} cannot be written", path.display());
            let mut file = BufWriter::new(File::create(&part).with_context(failed)?);
            export::history(store, project, &mut file).await?;
            file.flush().and_then(|()| file.get_ref().sync_all()).with_context(failed)?;
            std::fs::rename(&part, &path).with_context(failed)?;
            history = Some(path.display().to_string());
        }
        for line in writer.save()?.to_string().lines() {
            note(line);
        }
        opened.store.close().await;
        anyhow::Ok(Answer { documents, history })
    })?;
    if arguments.json {
        output::print_json(&answer)?;
    } else {
        output::print(&format!("{}: {} documents\n", out.display(), answer.documents))?;
        if let Some(history) = &answer.history {
            output::print(&format!("{history}: their history\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn beside(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".history.jsonl");
    PathBuf::from(name)
}
