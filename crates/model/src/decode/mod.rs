//! From logits to entities, the same way in training, on the command line and in a server.
//!
//! A [`TagSet`] knows which tag may follow which. [`best_path`] finds the most probable sequence of tags that its
//! scheme can write, so that no impossible one ever comes out, and [`recognize`] reads the entities off it.

mod entities;
mod tag_set;
mod viterbi;

pub(crate) use entities::chunks;
pub use entities::{entities, recognize};
pub use tag_set::{TagSet, TagSetError};
pub use viterbi::{DecodeError, Path, best_path};
