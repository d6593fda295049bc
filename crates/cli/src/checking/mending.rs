//! `--fix`: the data written again without what could be mended.

use std::{fs, path::Path};

use anyhow::bail;
use corpus::{
    WriteOptions, Writer,
    check::{self, File, Mending},
};

/// Repeated and empty texts that are named one by one.
const NAMED: usize = 20;

/// Writes the mended documents in the format that they were read in; gives what was done, line by line.
pub fn mend(file: File, out: &Path) -> anyhow::Result<Vec<String>> {
    let File { path, documents, lines, report, errors, .. } = file;
    if !errors.is_empty() {
        bail!(
            "{}: not everything can be read (Q001: {}), and --fix would lose it; correct that first. Nothing was written",
            path.display(),
            errors.len()
        );
    }
    if fs::canonicalize(&path).is_ok_and(|path| fs::canonicalize(out).is_ok_and(|out| path == out)) {
        bail!("--out {} is the file itself; name another one, so that the original stays", out.display());
    }
    let before = documents.len();
    let (documents, mending) = check::mend(documents);
    let mut writer = Writer::create(out, report.format, WriteOptions::default())?;
    for document in &documents {
        writer.write(document)?;
    }
    let losses = writer.save()?;

    let place = |document: usize| match lines.get(document).and_then(|lines| lines.first()) {
        Some(line) => format!("line {line}"),
        None => format!("document {}", document + 1),
    };
    let mut told = told(&mending, place);
    if report.repairs.total > 0 {
        told.push(format!("{} tags written as they were understood", report.repairs.total));
    }
    if report.units.total > 0 {
        told.push(format!("offsets of {} documents written in code points", report.units.total));
    }
    if told.is_empty() {
        told.push("there was nothing that --fix mends".to_owned());
    }
    // Token and tag are what the reader takes from a row; a number before them comes back by itself.
    if let Some(columns) = report.columns.filter(|columns| columns.count > columns.token + 2) {
        told.push(format!("not kept: {} columns of each row beside token and tag", columns.count - columns.token - 2));
    }
    if report.skipped_rows > 0 {
        told.push(format!("not kept: {} rows of multi-word tokens and empty nodes", report.skipped_rows));
    }
    told.extend(losses.to_string().lines().map(str::to_owned));
    told.push(format!("{}: {} of {before} texts written as {}", out.display(), documents.len(), report.format));
    Ok(told)
}

fn told(mending: &Mending, place: impl Fn(usize) -> String) -> Vec<String> {
    let mut told = Vec::new();
    let mut say = |one: &str, many: &str, places: Vec<String>| {
        if !places.is_empty() {
            let more = places.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let what = if places.len() == 1 { one } else { many };
            told.push(format!("{} {what}: {}{more}", places.len(), places[..places.len().min(NAMED)].join(", ")));
        }
    };
    say("entity trimmed", "entities trimmed", mending.trimmed.iter().map(|document| place(*document)).collect());
    let repeated =
        mending.repeated.iter().map(|(document, first)| format!("{} (as {})", place(*document), place(*first)));
    say("repeated text dropped", "repeated texts dropped", repeated.collect());
    say("empty text dropped", "empty texts dropped", mending.empty.iter().map(|document| place(*document)).collect());
    told
}
