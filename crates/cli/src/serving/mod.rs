//! A model behind the server, and what is told of the server's requests.

mod arenas;
mod folders;
mod predictions;
mod tagger;
mod told;
mod traces;

pub use self::{arenas::one_arena, folders::Folders, predictions::Predictions, told::Told};
