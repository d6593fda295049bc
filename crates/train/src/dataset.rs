//! Documents as the training loop sees them.

use std::sync::Arc;

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
    /// Position of the document in its data set.
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
        let encode = |(index, document): (usize, &Document)| {
            let id = document.id.clone();
            codec.encode(Input::from(document)).map_err(|error| DatasetError { number: index + 1, id, error })
        };
        let encoded: Vec<EncodedText> = documents.iter().enumerate().map(encode).collect::<Result<_, _>>()?;
        let mut taught = teacher.map(|teacher| teacher.judge(&encoded)).unwrap_or_default().into_iter();
        let tags = codec.tag_set().len() as u32;
        let mut dataset = Self { documents: documents.len(), ..Self::default() };
        for (index, (document, encoded)) in documents.iter().zip(encoded).enumerate() {
            let targets = codec.targets(document, &encoded);
            let lost = targets.unreachable.iter().map(|lost| (index, document.entities()[lost.entity].clone()));
            dataset.unreachable.extend(lost);
            let taught = taught.next().unwrap_or_default();
            let rows = targets_of(&targets, &encoded, teacher.map(|teacher| (teacher, taught.as_slice())), tags);
            let mut rows = rows.into_iter();
            for window in encoded.windows {
                let mut targets = vec![RowTarget::Unknown; window.ids.len()];
                for ((row, _), target) in window.decides.iter().zip(&mut rows) {
                    targets[*row as usize] = target;
                }
                let labelled = targets.iter().filter(|target| target.is_known()).count();
                if labelled > 0 {
                    dataset.examples.push(Example { document: index, ids: window.ids, targets, labelled });
                }
            }
        }
        Ok(dataset)
    }

    /// Word pieces of all windows, special tokens included.
    pub fn pieces(&self) -> usize {
        self.examples.iter().map(|example| example.ids.len()).sum()
    }
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
