//! The annotated files of a run.

use std::path::PathBuf;

use corpus::{duplicates::TextHash, fingerprint};
use schema::Document;
use serde_json::{Value, json};
use train::{DataError, DataSet, Source, Warning};

use super::knowledge::Knowledge;
use crate::split_record;

/// An annotated file.
pub struct Set {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub documents: Vec<Document>,
}

/// The data of a run.
pub struct Data {
    /// What is learned from.
    pub train: Set,
    /// What the best model is chosen by.
    pub dev: Option<Set>,
    /// What the best model is judged on.
    pub test: Option<Set>,
    /// What is taken along from the model that is updated, if one is.
    pub known: Option<Knowledge>,
}

impl Set {
    /// The file and its documents, as the library takes them.
    pub fn source(&self) -> Source<'_> {
        Source { path: &self.path, documents: &self.documents }
    }
}

impl Data {
    /// The files with what they are for.
    pub fn sets(&self) -> impl Iterator<Item = (&'static str, &Set)> {
        let known = |set: fn(&Knowledge) -> &Option<Set>| self.known.as_ref().and_then(|known| set(known).as_ref());
        let sets = [
            ("train", Some(&self.train)),
            ("replay", known(|known| &known.replay)),
            ("unlabelled", known(|known| &known.unlabelled)),
            ("dev", self.dev.as_ref()),
            ("old dev", known(|known| &known.dev)),
            ("test", self.test.as_ref()),
        ];
        sets.into_iter().filter_map(|(name, set)| Some((name, set?)))
    }

    /// Every document that is learned from.
    pub fn learnt(&self) -> impl Iterator<Item = &Document> {
        let is_learnt = |name: &str| matches!(name, "train" | "replay" | "unlabelled");
        self.sets().filter(move |(name, _)| is_learnt(name)).flat_map(|(_, set)| &set.documents)
    }

    /// What the texts that are learned from are known by ([`model::bundle::TrainedOn`]).
    pub fn learnt_hashes(&self) -> impl Iterator<Item = u64> {
        self.learnt().map(|document| TextHash::of(document.text()).get())
    }

    /// What a user should know of the data before the run.
    pub fn check(&self) -> Result<Vec<Warning>, DataError> {
        let [dev, test] = [&self.dev, &self.test].map(|set| set.as_ref().map(Set::source));
        train::check(self.train.source(), dev, test)
    }

    /// What does not agree with the split that the files come from.
    pub fn disagreements(&self) -> Vec<String> {
        let of = |(name, Set { path, documents }): (_, &Set)| match name {
            "train" | "replay" | "unlabelled" => split_record::of_training(path, documents),
            _ => split_record::of_scored(path, documents),
        };
        self.sets().flat_map(of).collect()
    }

    /// Counts for the report.
    pub fn counts(&self) -> Vec<DataSet> {
        self.sets().map(|(name, set)| DataSet::new(name, &set.path, &set.documents)).collect()
    }

    /// What a model says of the data that it was made from.
    pub fn provenance(&self) -> Value {
        let of = |set: &Set| {
            let entities: usize = set.documents.iter().map(|document| document.entities().len()).sum();
            json!({
                "file": set.path.file_name().map(|name| name.to_string_lossy()),
                "texts": set.documents.len(),
                "entities": entities,
                "fingerprint": fingerprint(&set.documents),
            })
        };
        self.sets().map(|(name, set)| (name.to_owned(), of(set))).collect()
    }
}
