//! Why a written text does not count.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// Why a written text does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// An entity is not in the text, or not as it was quoted.
    Ungrounded,
    /// It cannot be told which of several places is meant.
    Ambiguous,
    /// Two entities overlap.
    Overlap,
    /// A label that the schema does not have.
    ForeignLabel,
    /// It repeats a text that is known, word for word or nearly.
    Duplicate,
    /// Its entities have been written too often.
    Worn,
    /// A check of the data finds fault with it.
    Check,
    /// A paraphrase lost an entity, or has one more often than the text that it is of.
    LostEntity,
    /// A paraphrase of a text in which one surface has two labels: which is which could not be told.
    TwoLabels,
}

impl Fault {
    /// What it says of a text, for a list.
    pub fn says(self) -> &'static str {
        match self {
            Self::Ungrounded => "an entity does not stand in the text as it was quoted",
            Self::Ambiguous => "an entity stands in several places, and nothing says which is meant",
            Self::Overlap => "two entities overlap",
            Self::ForeignLabel => "a label that the schema does not have",
            Self::Duplicate => "nearly the same as a text that is known",
            Self::Worn => "its entities have been written too often",
            Self::Check => "a check finds fault with it",
            Self::LostEntity => "an entity is lost or stands there more often",
            Self::TwoLabels => "one surface has two labels in the text that it is of",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.says())
    }
}

/// Texts that do not count, by their fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refused(pub BTreeMap<Fault, usize>);

impl Refused {
    pub(super) fn count(&mut self, fault: Fault) {
        *self.0.entry(fault).or_insert(0) += 1;
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }
}
