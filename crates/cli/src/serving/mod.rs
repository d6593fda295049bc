//! A model behind the server, and what is told of the server's requests.

mod folders;
mod predictions;
mod tagger;
mod told;
mod traces;

pub use self::{folders::Folders, predictions::Predictions, told::Told};
