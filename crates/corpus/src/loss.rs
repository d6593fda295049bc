//! What a target format could not hold.

use std::{collections::BTreeMap, fmt};

/// Something of a document that the target format has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// All entities.
    Entities,
    /// That unlabelled words are unknown, not negatives.
    Partial,
    /// Which labels were looked for.
    LookedFor,
    /// White space of the text: tokens come back joined by single spaces.
    WhiteSpace,
    /// White space at the ends of an entity.
    EntityEdges,
    /// A known token had to be cut where an entity starts or ends.
    TokenCut,
    /// Known token boundaries.
    Tokens,
    /// A text without any token, which leaves no trace.
    EmptyText,
    /// The document's name.
    Id,
    /// Metadata.
    Meta,
    /// Scores of entities.
    Score,
    /// Who found the entities.
    Source,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Entities => "entities",
            Self::Partial => "that words without a label are unknown, not negatives",
            Self::LookedFor => "which labels were looked for",
            Self::WhiteSpace => "the white space between tokens",
            Self::EntityEdges => "white space at the ends of entities",
            Self::TokenCut => "tokens that were cut at the edge of an entity",
            Self::Tokens => "token boundaries",
            Self::EmptyText => "texts without any token",
            Self::Id => "document names",
            Self::Meta => "metadata",
            Self::Score => "scores of entities",
            Self::Source => "sources of entities",
        })
    }
}

/// What was lost, in how many documents, and in which first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(BTreeMap<Loss, (usize, usize)>);

impl Losses {
    /// Each loss with the number of documents that it touched and the position of the first, from 1.
    pub fn iter(&self) -> impl Iterator<Item = (Loss, usize, usize)> + '_ {
        self.0.iter().map(|(loss, (documents, first))| (*loss, *documents, *first))
    }

    /// Number of documents that lost this.
    pub fn documents(&self, loss: Loss) -> usize {
        self.0.get(&loss).map_or(0, |(documents, _)| *documents)
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add(&mut self, loss: Loss, document: usize) {
        self.0.entry(loss).or_insert((0, document)).0 += 1;
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (loss, documents, first)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}not kept: {loss} ({documents} documents, the first is number {first})")?;
        }
        Ok(())
    }
}
