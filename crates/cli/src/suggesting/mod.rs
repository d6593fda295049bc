//! What `nomen suggest` and `nomen generate` share: a language model behind a server, and what asking it cost.

pub mod order;
pub mod sources;
pub mod summary;
pub mod texts;

mod llm;

pub use llm::{Llm, LlmArguments, guidelines, schema, told_spent};
