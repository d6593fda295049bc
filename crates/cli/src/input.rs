//! Documents that a command was given.

use std::path::Path;

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use corpus::{Format, ReadOptions, Report};
use schema::Document;

use crate::progress::note;

/// How many of a file's broken places are listed at once.
pub const LISTED: usize = 10;

/// Takes the name of a format and no other word.
pub fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

/// Takes the name of a format that can be written.
pub fn written_parser() -> impl TypedValueParser<Value = Format> {
    let written = Format::ALL.into_iter().filter(|format| format.is_written()).map(Format::name);
    PossibleValuesParser::new(written).try_map(|name| name.parse::<Format>())
}

/// All documents of an annotated file, never a part of it; what was detected is noted.
pub fn annotated(path: &Path, format: Option<Format>) -> anyhow::Result<(Vec<Document>, Report)> {
    let (documents, report) = documents(path, format)?;
    if report.unannotated == documents.len() {
        bail!(
            "{}: nobody annotated its {} texts; name a file that tells the entities",
            path.display(),
            documents.len()
        );
    }
    Ok((documents, report))
}

/// All documents of a file, never a part of it and never none; what was detected is noted.
pub fn documents(path: &Path, format: Option<Format>) -> anyhow::Result<(Vec<Document>, Report)> {
    let mut reader = corpus::open_with(path, &ReadOptions { format, ..ReadOptions::default() })?;
    let mut documents = Vec::new();
    let mut broken: Vec<anyhow::Error> = Vec::new();
    for document in reader.by_ref() {
        match document {
            Ok(document) => documents.push(document),
            Err(error) => broken.push(error.into()),
        }
        if broken.len() == LISTED {
            break;
        }
    }
    let report = reader.into_report();
    refuse_places(path, broken)?;
    for line in told(&report) {
        note(&format!("{}: {line}", path.display()));
    }
    if documents.is_empty() {
        bail!("{}: there is no text in it", path.display());
    }
    Ok((documents, report))
}

/// One error of all places that are wrong, if any is.
pub fn refuse_places(path: &Path, mut wrong: Vec<anyhow::Error>) -> anyhow::Result<()> {
    match wrong.len() {
        0 => Ok(()),
        1 => Err(wrong.remove(0)),
        count => {
            let list: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            let several = if count == LISTED { "at least " } else { "" };
            let places = list.join("\n  ");
            // The first of them stays known as the error that it is.
            Err(wrong
                .remove(0)
                .context(format!("{}: {several}{count} places cannot be used:\n  {places}", path.display())))
        }
    }
}

/// The report's lines, and below the count of repairs the first of them.
pub fn told(report: &Report) -> Vec<String> {
    const REPAIRS: usize = 5;
    let mut lines: Vec<String> = report.to_string().lines().map(str::to_owned).collect();
    lines.extend(report.repairs.first.iter().take(REPAIRS).map(|repair| format!("  {repair}")));
    if report.repairs.total > REPAIRS {
        lines.push(format!("  and {} more repairs", report.repairs.total - REPAIRS));
    }
    lines.extend(report.units.first.iter().take(REPAIRS).map(|switch| format!("  {switch}")));
    lines
}
