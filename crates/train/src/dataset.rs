//! Documents as the training loop sees them.

use corpus::augment::Augmented;
use model::{Codec, Input, text::TokenizeError};
use schema::{Document, Entity};
use thiserror::Error;

/// One window of one text, with the tags that its rows should get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Position of the document in its data set; of a copy, that of the document that it was made from.
    pub document: usize,
    /// Piece ids, special tokens included.
    pub ids: Vec<u32>,
    /// One a row; `None` where the row decides nothing or nothing is known.
    pub targets: Vec<Option<u32>>,
    /// Rows with a target.
    pub labelled: usize,
}

/// A training set, tokenized once.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// The windows in the order of their documents.
    pub examples: Vec<Example>,
    /// Gold entities that no tags can express, with the position of their document.
    pub unreachable: Vec<(usize, Entity)>,
    /// Number of documents.
    pub documents: usize,
}

/// A document could not be tokenized.
#[derive(Debug, Error)]
#[error("document {number}{}: {error}", id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default())]
pub struct DatasetError {
    /// Position in the data set, from 1.
    pub number: usize,
    /// The document's own name.
    pub id: Option<String>,
    /// What went wrong.
    pub error: TokenizeError,
}

impl Dataset {
    /// Tokenizes documents. Windows in which no row has a target teach nothing and are left out.
    ///
    /// # Errors
    /// The tokenizer fails on a document.
    pub fn new(codec: &Codec, documents: &[Document]) -> Result<Self, DatasetError> {
        let mut dataset = Self { documents: documents.len(), ..Self::default() };
        for (index, document) in documents.iter().enumerate() {
            let lost = dataset.add(codec, index, document)?;
            dataset.unreachable.extend(lost.into_iter().map(|entity| (index, entity)));
        }
        Ok(dataset)
    }

    /// With the windows of copies behind those of the documents. They count as no documents, and what is unreachable in
    /// them was so in their source or says nothing about the data.
    ///
    /// # Errors
    /// The tokenizer fails on a copy; the document that it was made from is named.
    pub fn with_copies(mut self, codec: &Codec, copies: &[Augmented]) -> Result<Self, DatasetError> {
        for copy in copies {
            self.add(codec, copy.source, &copy.document)?;
        }
        Ok(self)
    }

    /// Adds a document's windows; the entities that no tags can express are returned.
    fn add(&mut self, codec: &Codec, index: usize, document: &Document) -> Result<Vec<Entity>, DatasetError> {
        let encoded = codec.encode(Input::from(document)).map_err(|error| DatasetError {
            number: index + 1,
            id: document.id.clone(),
            error,
        })?;
        let targets = codec.targets(document, &encoded);
        for window in encoded.windows {
            let mut rows = vec![None; window.ids.len()];
            for (row, slot) in &window.decides {
                rows[*row as usize] = targets.tags[*slot as usize];
            }
            let labelled = rows.iter().flatten().count();
            if labelled > 0 {
                self.examples.push(Example { document: index, ids: window.ids, targets: rows, labelled });
            }
        }
        Ok(targets.unreachable.iter().map(|lost| document.entities()[lost.entity].clone()).collect())
    }

    /// Word pieces of all windows, special tokens included.
    pub fn pieces(&self) -> usize {
        self.examples.iter().map(|example| example.ids.len()).sum()
    }
}
