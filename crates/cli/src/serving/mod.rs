//! A model behind the server.

mod tagger;

pub use tagger::ModelTagger;
