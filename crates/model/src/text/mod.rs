//! From a text to windows of word pieces, and from gold entities to the tags that those pieces should get.
//!
//! A [`Tokenizer`] cuts a text into [`Pieces`] whose spans count bytes of the original text, whatever its
//! normalizer did. An [`Alignment`] says which pieces decide: the first one of every word, or every piece for its
//! own characters. What is decided is a slot: a span of the text that gets exactly one tag. [`EncodedText`] holds
//! the slots and the [`Window`]s in which they are decided; [`Targets`] are the tags that training wants there.

mod align;
mod listing;
mod pattern;
mod pieces;
mod targets;
mod tokenizer;
mod vet;
mod windows;

pub use align::Alignment;
pub use listing::{ListedPiece, ListedText};
pub use pieces::Pieces;
pub use targets::{Reason, SlotTarget, Targets, Unreachable, targets};
pub use tokenizer::{TokenizeError, Tokenizer, TokenizerError};
pub use vet::Refusal;
pub use windows::{EncodedText, Template, Window, WindowError, Windowing, encode};
