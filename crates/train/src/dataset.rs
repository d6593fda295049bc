//! Documents as the training loop sees them.

use std::sync::Arc;

use corpus::augment::Augmented;
use model::{
    Codec, Input,
    text::{EncodedText, SlotTarget, Targets, TokenizeError},
};
use schema::{Document, Entity};
use thiserror::Error;

use crate::{RowTarget, Taught, Teacher};

/// One window of one text, with what its rows should be tagged.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Position of the document in its data set; of a copy, that of the document that it was made from.
    pub document: usize,
    /// Piece ids, special tokens included.
    pub ids: Vec<u32>,
    /// One a row.
    pub targets: Vec<RowTarget>,
    /// Rows of which something is known.
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
    /// Tokenizes documents. Windows in which no row has a target teach nothing and are left out. Where a document does not say
    /// what a row is, a teacher does, if there is one.
    ///
    /// # Errors
    /// The tokenizer fails on a document.
    pub fn new(codec: &Codec, documents: &[Document], teacher: Option<&Teacher<'_>>) -> Result<Self, DatasetError> {
        let encoded: Vec<EncodedText> = documents
            .iter()
            .enumerate()
            .map(|(index, document)| encode(codec, index, document))
            .collect::<Result<_, _>>()?;
        let mut taught = teacher.map(|teacher| teacher.judge(&encoded)).unwrap_or_default().into_iter();
        let mut dataset = Self { documents: documents.len(), ..Self::default() };
        for (index, (document, encoded)) in documents.iter().zip(encoded).enumerate() {
            let taught = taught.next().unwrap_or_default();
            let lost =
                dataset.add(codec, index, document, encoded, teacher.map(|teacher| (teacher, taught.as_slice())));
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
            let encoded = encode(codec, copy.source, &copy.document)?;
            self.add(codec, copy.source, &copy.document, encoded, None);
        }
        Ok(self)
    }

    /// Adds a document's windows; the entities that no tags can express are returned.
    fn add(
        &mut self,
        codec: &Codec,
        index: usize,
        document: &Document,
        encoded: EncodedText,
        teacher: Option<(&Teacher<'_>, &[Taught])>,
    ) -> Vec<Entity> {
        let targets = codec.targets(document, &encoded);
        let mut rows = targets_of(&targets, &encoded, teacher, codec.tag_set().len() as u32).into_iter();
        for window in encoded.windows {
            let mut targets = vec![RowTarget::Unknown; window.ids.len()];
            for ((row, _), target) in window.decides.iter().zip(&mut rows) {
                targets[*row as usize] = target;
            }
            let labelled = targets.iter().filter(|target| target.is_known()).count();
            if labelled > 0 {
                self.examples.push(Example { document: index, ids: window.ids, targets, labelled });
            }
        }
        targets.unreachable.iter().map(|lost| document.entities()[lost.entity].clone()).collect()
    }

    /// Word pieces of all windows, special tokens included.
    pub fn pieces(&self) -> usize {
        self.examples.iter().map(|example| example.ids.len()).sum()
    }
}

fn encode(codec: &Codec, index: usize, document: &Document) -> Result<EncodedText, DatasetError> {
    let failed = |error| DatasetError { number: index + 1, id: document.id.clone(), error };
    codec.encode(Input::from(document)).map_err(failed)
}

/// What the decided slots of a text should be tagged, in order, by the document and a teacher's word on each of them.
fn targets_of(
    targets: &Targets,
    encoded: &EncodedText,
    teacher: Option<(&Teacher<'_>, &[Taught])>,
    tags: u32,
) -> Vec<RowTarget> {
    let not_looked_for: Arc<[u32]> = targets.not_looked_for.as_slice().into();
    let all: Vec<u32> = (0..tags).collect();
    let decided = encoded.windows.iter().flat_map(|window| &window.decides).enumerate();
    let target = |(index, (_, slot)): (usize, &(u32, u32))| {
        let ask = |among: &[u32]| teacher.map(|(teacher, taught)| teacher.target(&taught[index], among));
        match targets.slots[*slot as usize] {
            SlotTarget::Tag(tag) => RowTarget::Tag(tag),
            SlotTarget::Unknown => ask(&all).unwrap_or_default(),
            SlotTarget::NotLookedFor => {
                ask(&not_looked_for).unwrap_or_else(|| RowTarget::Among(not_looked_for.clone()))
            }
        }
    };
    decided.map(target).collect()
}
