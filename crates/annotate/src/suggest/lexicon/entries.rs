//! The file of a lexicon.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use schema::{Label, LabelError};
use serde::Deserialize;
use thiserror::Error;

/// A name and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The name, as it is written.
    pub surface: String,
    /// Its label.
    pub label: Label,
}

/// Why a file is no lexicon.
#[derive(Debug, Error)]
pub enum LexiconError {
    /// It cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A line is no entry.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// There is no entry.
    #[error("{}: there is no entry in it; write a name, a tab and its label on each line", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

const EXPECTED: &str = "write a name, a tab and its label";

/// The entries of a file: JSON lines `{"surface", "label"}` where its name ends in `.jsonl`, a table of two columns where it
/// ends in `.csv`, else a name, a tab and a label a line. A first line `surface, label` is a header.
///
/// # Errors
/// The file cannot be read, is no UTF-8, has a line that is no entry, or none that is one.
pub fn read(path: &Path) -> Result<Vec<Entry>, LexiconError> {
    let bytes = fs::read(path).map_err(|error| LexiconError::Io { path: path.to_owned(), error })?;
    let fault = |line: usize, problem: String| LexiconError::Line { path: path.to_owned(), line, problem };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        fault(line, "a byte is no UTF-8; save the file as UTF-8".into())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let entries = match extension.as_str() {
        "jsonl" => lines(text).map(|(line, text)| of_json(text).map_err(|why| fault(line, why))).collect(),
        "csv" => of_table(text).map_err(|(line, why)| fault(line, why)),
        _ => {
            let rows = lines(text).enumerate().filter_map(|(row, (line, text))| {
                let cells = text.rsplit_once('\t');
                if row == 0 && cells == Some(("surface", "label")) {
                    return None;
                }
                let cells = cells.ok_or_else(|| format!("there is no tab; {EXPECTED}"));
                Some(cells.and_then(|(surface, label)| entry(surface, label)).map_err(|why| fault(line, why)))
            });
            rows.collect()
        }
    };
    let entries: Vec<Entry> = entries?;
    if entries.is_empty() { Err(LexiconError::Empty { path: path.to_owned() }) } else { Ok(entries) }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim().is_empty())
}

fn entry(surface: &str, label: &str) -> Result<Entry, String> {
    let surface = surface.trim();
    if surface.is_empty() {
        return Err(format!("the name is empty; {EXPECTED}"));
    }
    let label = Label::new(label.trim()).map_err(|error: LabelError| error.to_string())?;
    Ok(Entry { surface: surface.to_owned(), label })
}

fn of_json(line: &str) -> Result<Entry, String> {
    let found: Entry = serde_json::from_str(line)
        .map_err(|error| format!("{error}; write {{\"surface\": \"aspirin\", \"label\": \"DRUG\"}}"))?;
    entry(&found.surface, found.label.as_str())
}

fn of_table(text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut entries = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|error| (row + 1, error.to_string()))?;
        let line = record.position().map_or(row + 1, |position| position.line() as usize);
        match record.iter().collect::<Vec<_>>().as_slice() {
            ["surface", "label"] if row == 0 => {}
            [surface, label] => entries.push(entry(surface, label).map_err(|why| (line, why))?),
            cells => return Err((line, format!("{} cells; write a name and its label", cells.len()))),
        }
    }
    Ok(entries)
}
