//! The texts of `nomen suggest`, from their files to the file with the suggestions.

use std::{
    io,
    path::{Path, PathBuf},
};

use annotate::suggest::{
    Suggestion,
    llm::{Outcome, State},
    record,
};
use anyhow::Context as _;
use corpus::{Format, WriteOptions, Writer};
use schema::Document;
use serde_json::{Value, json};

use super::sources::{self, Source};
use crate::{input, progress::note};

/// Key of the metadata that says which language model has not answered about a text, and why.
const UNANSWERED: &str = "suggestions_missing";

/// The texts and where each comes from.
pub struct Texts {
    pub documents: Vec<Document>,
    /// For each file the position behind its last text.
    files: Vec<(PathBuf, usize)>,
}

impl Texts {
    /// Reads the files.
    pub fn read(files: &[PathBuf], format: Option<Format>) -> anyhow::Result<Self> {
        let mut texts = Self { documents: Vec::new(), files: Vec::new() };
        for file in files {
            texts.documents.extend(input::documents(file, format)?.0);
            texts.files.push((file.clone(), texts.documents.len()));
        }
        Ok(texts)
    }

    /// A text, for a message.
    pub fn place(&self, at: usize) -> String {
        let file = self.files.partition_point(|(_, end)| *end <= at);
        let first = file.checked_sub(1).map_or(0, |before| self.files[before].1);
        let path = self.files.get(file).map(|(path, _)| path.display().to_string()).unwrap_or_default();
        let name = self.documents[at].id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        format!("{path}: text {}{name}", at - first + 1)
    }
}

/// The answers of a language model, with what it said in an earlier run where it did not answer in this one.
pub fn keeping(mut source: Source, outcomes: &[Outcome], earlier: &[Source]) -> Source {
    let old = earlier.iter().find(|old| sources::is_same(&old.origin, &source.origin));
    for (at, outcome) in outcomes.iter().enumerate() {
        if outcome.state != State::Answered {
            source.suggestions[at] = old.and_then(|old| old.suggestions[at].clone());
        }
    }
    source
}

/// The texts with what all sources said; `llm` is the source that `outcomes` are of.
pub fn attached(
    texts: &Texts,
    sources: &[Source],
    outcomes: &[Outcome],
    llm: Option<&str>,
    threshold: f32,
) -> anyhow::Result<Vec<Document>> {
    let attach = |(at, document): (usize, &Document)| {
        let said = sources.iter().filter_map(|source| source.suggestions[at].as_ref());
        let mut suggestions: Vec<Suggestion> = said.flatten().cloned().collect();
        let outcome = outcomes.get(at).filter(|outcome| outcome.state != State::Answered);
        // What came of the parts that were answered is shown, too.
        for suggestion in outcome.iter().flat_map(|outcome| &outcome.suggestions) {
            if !suggestions.contains(suggestion) {
                suggestions.push(suggestion.clone());
            }
        }
        let mut document =
            record::attach(document.clone(), &suggestions, threshold).with_context(|| texts.place(at))?;
        if let Some(llm) = llm {
            unanswered(&mut document, llm, outcome);
        }
        Ok(document)
    };
    texts.documents.iter().enumerate().map(attach).collect()
}

/// Notes that a language model has not answered about a text, or forgets that it had not.
fn unanswered(document: &mut Document, llm: &str, outcome: Option<&Outcome>) {
    if let Some(outcome) = outcome {
        let entry = document.meta.entry(UNANSWERED).or_insert_with(|| json!({}));
        if let Some(entries) = entry.as_object_mut() {
            entries.insert(llm.to_owned(), json!(outcome.state.name()));
        }
    } else if let Some(Value::Object(entries)) = document.meta.get_mut(UNANSWERED) {
        entries.shift_remove(llm);
        if entries.is_empty() {
            document.meta.shift_remove(UNANSWERED);
        }
    }
}

/// Writes the texts to a file, or to standard output.
pub fn write(out: Option<&Path>, documents: &[Document]) -> anyhow::Result<()> {
    let options = WriteOptions { quote: true, ..WriteOptions::default() };
    if let Some(out) = out {
        let mut writer = Writer::create(out, Format::Jsonl, options)?;
        documents.iter().try_for_each(|document| writer.write(document))?;
        writer.save()?.to_string().lines().for_each(note);
    } else {
        let mut writer = Writer::new(io::stdout().lock(), "standard output", Format::Jsonl, options);
        documents.iter().try_for_each(|document| writer.write(document))?;
        let (_, losses) = writer.finish()?;
        losses.to_string().lines().for_each(note);
    }
    Ok(())
}
