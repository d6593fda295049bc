//! spaCy's DocBin, version 0.1 (files called `.spacy`): tokens, their labels and the space behind each, for many
//! documents in one message.
//!
//! The file is MessagePack under zlib: a map of `version`, `attrs` (numbers of attributes), `tokens` (a row a
//! token, a little-endian `u64` an attribute), `spaces` (a byte a token), `lengths` (an `i32` a document, in
//! tokens), `strings` (what the rows' numbers stand for), `cats`, and as the writer likes `flags`, `span_groups`
//! and `user_data`. It follows spaCy 3; <https://spacy.io/api/docbin#serialization> describes it.
//!
//! A text is its tokens and the spaces between them, so it comes back exactly, white space included. Documents
//! whose spaces spaCy does not know (`has_unknown_spaces`) have their tokens joined by single spaces. Tokens of
//! white space only are part of the text but no known tokens. A token without a statement about entities makes
//! its document partial. `cats` become the metadata field of that name, user data with names fields of their own
//! (`id` the document's name), links and ids of entities the field `entity_links`. What has no place is counted
//! in the report.

mod message;
mod messagepack;
mod parse;
mod read;
mod strings;
mod write;
mod zlib;

use std::io::Read;

use flate2::bufread::ZlibDecoder;

pub(crate) use self::{read::DocBin, write::Writer};

/// Whether a file that starts with `head` is zlib around a map whose first field is `version`.
pub(crate) fn looks_like(head: &[u8]) -> bool {
    let mut start = [0; 9];
    let unpacked = ZlibDecoder::new(head).read_exact(&mut start);
    unpacked.is_ok() && start[0] & 0xf0 == 0x80 && &start[1..] == b"\xa7version"
}

/// The version of the layout.
const VERSION: &str = "0.1";
/// Metadata field: the values of text categories.
const CATS: &str = "cats";
/// Name in the user data: the document's own.
const ID: &str = "id";
/// Metadata field: `{"start","end","kb_id","id"}` of entities that have such, in code points.
const LINKS: &str = "entity_links";

/// spaCy's numbers of the attributes that say something about text and entities.
mod attribute {
    pub(super) const ORTH: u64 = 65;
    pub(super) const ENT_IOB: u64 = 77;
    pub(super) const ENT_TYPE: u64 = 78;
    pub(super) const ENT_KB_ID: u64 = 452;
    pub(super) const ENT_ID: u64 = 454;
    /// `LEMMA`, `POS`, `TAG`, `DEP`, `MORPH`: grammar, which a document has no place for.
    pub(super) const GRAMMAR: [u64; 5] = [73, 74, 75, 76, 453];
}

/// The values of `ENT_IOB`.
mod iob {
    /// Nobody said.
    pub(super) const MISSING: u64 = 0;
    pub(super) const INSIDE: u64 = 1;
    pub(super) const OUTSIDE: u64 = 2;
    pub(super) const BEGIN: u64 = 3;
}
