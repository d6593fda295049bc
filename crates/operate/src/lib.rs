//! Models in use: the [`gate`] that a new version has to pass before it takes the place of the one that is live, and the
//! [`registry`] of versions, with promotion and the way back.

pub mod diff;
pub mod gate;
pub mod registry;
