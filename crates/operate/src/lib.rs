//! Models in use: the [`gate`] that a new version has to pass before it takes the place of the one that is live, the
//! [`registry`] of versions, with promotion and the way back, and how what a model is given and what it says moves away from
//! what it was made for: the log of its [`predictions`], the [`profile`] of its own domain, and [`drift`] between the two.

pub mod diff;
pub mod drift;
pub mod gate;
pub mod predictions;
pub mod profile;
pub mod registry;
