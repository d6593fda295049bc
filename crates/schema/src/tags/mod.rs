//! Tag schemes: entities as one tag a token, and back.
//!
//! A tag is `O` or a prefix and a label, `B-creative-work`; only the first hyphen separates. Decoding reads
//! every scheme with the chunk rules of the CoNLL-2000 evaluation script, so that a broken sequence still has
//! one meaning; what a writer of the scheme would have put differently is listed as a [`Repair`].

mod decode;
mod scheme;

pub use decode::{Chunk, Detection, Detector, Repair, decode, encode, repairs};
pub use scheme::{Prefix, Scheme, Tag, TagError};
