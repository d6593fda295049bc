//! What training wants of a row.

use std::sync::Arc;

use engine::Target;

/// What is known of a row's tag.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum RowTarget {
    /// Nothing, or the row decides nothing.
    #[default]
    Unknown,
    /// It is this one.
    Tag(u32),
    /// It is one of these.
    Among(Arc<[u32]>),
    /// What a teacher says.
    Like(Taught),
}

/// What a teacher says of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Taught {
    /// Probability of every tag.
    pub probabilities: Arc<[f32]>,
    /// What logits are divided by.
    pub temperature: f32,
}

impl RowTarget {
    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        *self != Self::Unknown
    }

    /// The same for the loss.
    pub(crate) fn as_target(&self) -> Target<'_> {
        match self {
            Self::Unknown => Target::Unknown,
            Self::Tag(tag) => Target::Label(*tag),
            Self::Among(tags) => Target::Among(tags),
            Self::Like(Taught { probabilities, temperature }) => {
                Target::Like { probabilities, temperature: *temperature }
            }
        }
    }
}
