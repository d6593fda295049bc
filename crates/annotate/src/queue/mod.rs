//! Which texts to annotate next, and which of them twice. Pure functions: the same texts and the same seed give the same order.

mod diversity;
mod order;
mod share;
mod uncertainty;

pub use diversity::Vectors;
pub use order::{Candidate, Order, Ranked, rank};
pub use share::goes_twice;
pub(crate) use share::mixed_bits;
pub use uncertainty::{Measure, disagreement, of_entities, of_sources};
