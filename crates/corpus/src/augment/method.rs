//! The closed set of methods.

use std::fmt;

/// A way to change a training text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Another text is put behind the text.
    Join,
    /// Mentions are replaced by others of their label.
    Mentions,
    /// Words outside of entities are replaced by words that stand in the same context elsewhere.
    Context,
    /// Words outside of entities are replaced by synonyms.
    Synonyms,
    /// Words are shuffled inside of an entity or between two.
    Shuffle,
    /// Words are mistyped.
    Typos,
    /// The text is in lower or upper case.
    Casing,
}

impl Method {
    /// All methods, in the order in which they work on a text.
    pub const ALL: [Self; 7] =
        [Self::Join, Self::Mentions, Self::Context, Self::Synonyms, Self::Shuffle, Self::Typos, Self::Casing];

    /// Its name in settings and metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Mentions => "mentions",
            Self::Context => "context",
            Self::Synonyms => "synonyms",
            Self::Shuffle => "shuffle",
            Self::Typos => "typos",
            Self::Casing => "casing",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
