//! A model behind the server.

mod tagger;

#[allow(unused_imports)] // until a command serves
pub use tagger::ModelTagger;
