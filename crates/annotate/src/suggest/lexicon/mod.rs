//! Names that are known, looked up in texts.
//!
//! A [`Lexicon`] finds the longest entry at each word: as it is written, folded, or, when asked, within a letter or two.
//! Entries begin and end at words (UAX 29). The time for a text does not grow with the number of entries.

mod entries;
mod find;
mod near;

pub use entries::{Entry, LexiconError, read};
pub use find::{Case, Lexicon, LexiconOptions};
