//! What a run learns from: the accepted documents of a project, a part of them kept to choose the best model by.

use std::{fs, path::Path};

use corpus::{Format, WriteOptions, Writer};
use schema::Document;
use sha2::{Digest as _, Sha256};
use store::{Number, Project, Select, Store};

use crate::studio::Refusal;

/// One of so many documents is kept for choosing.
const KEPT: usize = 5;
/// Documents that are read at once.
const CHUNK: u32 = 500;
/// Fewest documents that are worth a run.
const FEWEST: usize = 2;

/// Documents in two parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    train: Vec<(Number, Document)>,
    dev: Vec<(Number, Document)>,
}

/// The accepted documents of a project in two parts. Which part a text is in depends on the text alone as far as it can, so that
/// runs on more and more documents are judged on the same ones, and equal texts are never in both.
pub async fn split(store: &Store, project: &Project) -> Result<Split, Refusal> {
    let select = Select { accepted: true, history: false };
    let (mut documents, mut after) = (Vec::new(), 0);
    loop {
        let chunk = store.export(project.id, select, after, CHUNK).await?;
        let Some(last) = chunk.last() else { break };
        after = last.number;
        documents.extend(chunk.into_iter().map(|exported| (exported.number, exported.document)));
    }
    of(documents)
}

fn of(mut documents: Vec<(Number, Document)>) -> Result<Split, Refusal> {
    let hash = |(_, document): &(Number, Document)| Sha256::digest(document.text().as_bytes());
    documents.sort_by_cached_key(|document| (hash(document), document.0));
    let mut kept = documents.len().div_ceil(KEPT);
    while kept > 0 && kept < documents.len() && documents[kept - 1].1.text() == documents[kept].1.text() {
        kept += 1;
    }
    let mut train = documents.split_off(kept.min(documents.len()));
    if train.is_empty() || train.len() + documents.len() < FEWEST {
        return Err(Refusal::Invalid(format!(
            "there is too little to learn from: {} accepted documents, and it takes {FEWEST} of different text",
            train.len() + documents.len()
        )));
    }
    if train.iter().all(|(_, document)| document.entities().is_empty()) {
        return Err(Refusal::Invalid("there is nothing to learn: no accepted document has an entity".to_owned()));
    }
    documents.sort_by_key(|(number, _)| *number);
    train.sort_by_key(|(number, _)| *number);
    Ok(Split { train, dev: documents })
}

impl Split {
    /// Leaves `train.jsonl`, `dev.jsonl`, and for both which document each line is.
    pub fn write(&self, folder: &Path) -> Result<(), Refusal> {
        write(folder, "train", &self.train)?;
        write(folder, "dev", &self.dev)
    }
}

/// Leaves documents in `NAME.jsonl`, and in `NAME.numbers.json` which document each line is.
pub fn write(folder: &Path, name: &str, documents: &[(Number, Document)]) -> Result<(), Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::Failed(format!("{}: {error}", folder.display()));
    let path = folder.join(name).with_extension("jsonl");
    let mut writer = Writer::create(path, Format::Jsonl, WriteOptions::default()).map_err(|error| failed(&error))?;
    for (_, document) in documents {
        writer.write(document).map_err(|error| failed(&error))?;
    }
    writer.save().map_err(|error| failed(&error))?;
    let numbers: Vec<Number> = documents.iter().map(|(number, _)| *number).collect();
    let numbers = serde_json::to_vec(&numbers).map_err(|error| failed(&error))?;
    fs::write(folder.join(format!("{name}.numbers.json")), numbers).map_err(|error| failed(&error))
}

/// Which document each line of `NAME.jsonl` is.
pub fn numbers(folder: &Path, name: &str) -> Result<Vec<Number>, Refusal> {
    let path = folder.join(format!("{name}.numbers.json"));
    let read = fs::read(&path).map_err(|error| error.to_string());
    let numbers = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    numbers.map_err(|error| Refusal::Failed(format!("{}: {error}", path.display())))
}

/// The documents of a file of JSON lines in a run's folder.
pub fn read(folder: &Path, name: &str) -> Result<Vec<Document>, Refusal> {
    let path = folder.join(name).with_extension("jsonl");
    match corpus::read_all(&path, Some(Format::Jsonl)) {
        Ok((documents, _)) => Ok(documents),
        Err(error) => Err(Refusal::Failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use schema::{Entity, Label, Span};

    use super::*;

    fn documents(texts: impl IntoIterator<Item = String>) -> Vec<(Number, Document)> {
        let entity = || Entity::new(Span::new(0, 1).unwrap(), Label::new("A").unwrap());
        let document = |text: String| Document::new(text).with_entities(vec![entity()]).unwrap();
        texts.into_iter().zip(1..).map(|(text, number)| (number, document(text))).collect()
    }

    #[test]
    fn equal_texts_are_in_one_part_and_nothing_is_lost() {
        let texts = (0..40).map(|number| format!("text {}", number % 7));
        let split = of(documents(texts)).unwrap();
        assert_eq!(split.train.len() + split.dev.len(), 40);
        for (_, document) in &split.dev {
            assert!(split.train.iter().all(|(_, other)| other.text() != document.text()));
        }
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        assert!(of(Vec::new()).is_err());
        assert!(of(documents(["one".to_owned()])).is_err());
        assert!(of(documents(["same".to_owned(), "same".to_owned()])).is_err());
        let bare = ["one", "two"].map(Document::new);
        assert!(of(bare.into_iter().zip(1..).map(|(document, number)| (number, document)).collect()).is_err());
        assert!(of(documents(["one".to_owned(), "two".to_owned()])).is_ok());
    }
}
