//! Annotated texts that a language model writes: new ones from the schema ([`Author`]), or labelled ones in other words
//! ([`paraphrase`]).
//!
//! A model that writes a text quotes its entities, and the quotes are held to the text as those of a first pass are
//! ([`crate::suggest::ground`]). A text counts only when every entity stands in it exactly and without doubt; what is
//! refused is counted by its [`Fault`], never mended.

mod author;
mod balance;
mod known;
mod paraphrase;
mod prompt;
mod refused;

pub use author::{Author, AuthorOptions, Written};
pub use balance::{Balance, BalanceError};
pub use known::Known;
pub use paraphrase::{Paraphrased, paraphrase};
pub use refused::{Fault, Refused};

/// Key of the metadata in which a written text says who wrote it, and of which text it is a paraphrase.
pub const META: &str = "generated";
