//! Texts made ready: changed while their entities move along ([`prepare()`]), and cut into sentences or paragraphs
//! ([`segment()`]).
//!
//! A [`Step`] makes of a text a [`Mapped`] one, which knows where each byte came from.

mod boilerplate;
mod document;
mod invisible;
mod lower;
mod mapped;
mod mask;
mod normalize;
mod segment;
mod step;
mod white_space;

pub use boilerplate::{Boilerplate, LineCounts};
pub use document::{Lost, Prepared, prepare};
pub use invisible::remove_invisible;
pub use lower::lower;
pub(crate) use mapped::Change;
pub use mapped::{Mapped, Moved};
pub use mask::{Masked, mask};
pub use normalize::{Form, normalize};
pub use segment::{
    JoinError, Joining, SegmentError, Segmentation, Segments, join, paragraph_ends, segment, sentence_ends,
};
pub use step::Step;
pub use white_space::{LineEnds, collapse, trim};
