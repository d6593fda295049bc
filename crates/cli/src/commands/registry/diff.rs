//! `nomen registry diff`: what two versions find differently in a text file.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use corpus::Format;
use evaluate::Mention;
use operate::{
    diff::{Agreement, Difference, agreement, differences},
    registry::{Registry, VersionName},
};
use schema::{Document, Entity, Label};
use serde::Serialize;

use super::Common;
use crate::{
    commands::tag::marked, input, judgement, output, progress::note, recognizer::RunArguments, table::Table, versions,
};

/// Characters that are shown around a difference.
const CONTEXT: usize = 40;

/// Show what two versions find differently in a file
#[derive(Args)]
#[command(after_help = "\
Reads every format that `nomen convert` reads; annotations in it are not used. Lines with - are
what A finds, lines with + what B finds.

Example:
  nomen registry diff v2 live letters.txt --registry models")]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    run: RunArguments,
    /// A version: live, a number such as v3, or digits of the hash
    #[arg(value_name = "A", value_parser = super::version)]
    before: VersionName,
    /// Another version
    #[arg(value_name = "B", value_parser = super::version)]
    after: VersionName,
    /// Texts
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Format of the file; detected if not given
    #[arg(long, value_parser = input::format_parser())]
    format: Option<Format>,
}

#[derive(Serialize)]
struct Answer<'a> {
    before: &'a str,
    after: &'a str,
    texts: usize,
    labels: BTreeMap<Label, Agreement>,
    differences: Vec<Told<'a>>,
}

#[derive(Serialize)]
struct Told<'a> {
    /// Position of the text, from 0.
    text: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    before: Vec<Mention>,
    after: Vec<Mention>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let registry = arguments.common.open()?;
    let (documents, _) = input::documents(&arguments.file, arguments.format)?;
    let [before, after] =
        [&arguments.before, &arguments.after].map(|name| find(arguments, &registry, name, &documents));
    let ((before, found_before), (after, found_after)) = (before?, after?);
    let differences = differences(&found_before, &found_after);
    let labels = agreement(&found_before, &found_after);
    if arguments.common.json {
        let told = |difference: &Difference<'_>| {
            let document = &documents[difference.text];
            let mentions =
                |entities: &[&Entity]| entities.iter().map(|entity| Mention::new(document.text(), entity)).collect();
            Told {
                text: difference.text,
                id: document.id.as_deref(),
                before: mentions(&difference.before),
                after: mentions(&difference.after),
            }
        };
        let differences = differences.iter().map(told).collect();
        output::print_json(&Answer { before: &before, after: &after, texts: documents.len(), labels, differences })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = output::stdout();
    if !differences.is_empty() {
        write!(out, "--- {before}\n+++ {after}\n")?;
    }
    for difference in &differences {
        out.write_all(hunk(&documents[difference.text], difference).as_bytes())?;
    }
    out.flush()?;
    for line in counts(&labels).lines() {
        note(line);
    }
    note(&format!("{} differences in {} texts", differences.len(), documents.len()));
    Ok(ExitCode::SUCCESS)
}

/// The version in words, and what it finds.
fn find(
    arguments: &Arguments,
    registry: &Registry,
    name: &VersionName,
    documents: &[Document],
) -> anyhow::Result<(String, Vec<Vec<Entity>>)> {
    let state = registry.state()?;
    let version = state.find(name, &registry.place())?;
    let named = format!("registry:{}@v{}", registry.place(), version.number);
    let recognizer = arguments.run.open(&versions::folder(Path::new(&named))?)?;
    let found = judgement::recognize(&recognizer, documents)?;
    Ok((format!("v{} ({})", version.number, version.id.short()), found))
}

/// One difference with the text around, as each version sees it.
fn hunk(document: &Document, difference: &Difference<'_>) -> String {
    let (text, span) = (document.text(), difference.span);
    let start = text[..span.start()].char_indices().rev().take(CONTEXT).last().map_or(span.start(), |(at, _)| at);
    let end = text[span.end()..].char_indices().nth(CONTEXT).map_or(text.len(), |(at, _)| span.end() + at);
    let name = document.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let mut hunk = format!("@@ text {}{name}\n", difference.text + 1);
    for (sign, entities) in [("-", &difference.before), ("+", &difference.after)] {
        let shifted = entities.iter().filter_map(|entity| {
            let span = schema::Span::new(entity.span.start() - start, entity.span.end() - start).ok()?;
            Some(Entity { span, ..(*entity).clone() })
        });
        let [before, after] = [start > 0, end < text.len()].map(|is_cut| if is_cut { "…" } else { "" });
        let line = marked(&text[start..end], &shifted.collect::<Vec<_>>());
        hunk.extend([sign, " ", before, line.trim_end_matches('\n'), after, "\n"]);
    }
    hunk
}

fn counts(labels: &BTreeMap<Label, Agreement>) -> String {
    let mut table = Table::default();
    table.row(["", "both", "only A", "only B"].map(str::to_owned));
    for (label, Agreement { both, only_before, only_after }) in labels {
        table.row([label.to_string(), both.to_string(), only_before.to_string(), only_after.to_string()]);
    }
    table.render()
}
