//! The message that a DocBin is, checked: every length fits every other.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use super::{messagepack::Problem, parse::malformed, strings};
use crate::{Format, ReadErrorKind};

/// A whole DocBin.
#[derive(Default)]
pub(super) struct Message {
    pub(super) attributes: Vec<u64>,
    /// Rows of little-endian `u64`, one value an attribute.
    pub(super) tokens: Vec<u8>,
    /// A byte a token: whether a space follows it.
    pub(super) spaces: Vec<u8>,
    /// For each document the first token behind it.
    pub(super) ends: Vec<usize>,
    pub(super) strings: HashMap<u64, Box<str>>,
    pub(super) cats: Values,
    pub(super) flags: Values,
    pub(super) span_groups: Values,
    pub(super) user_data: Values,
}

/// Values of a list, one a document, as the bytes that they are.
#[derive(Default)]
pub(super) struct Values {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
}

impl Values {
    /// The bytes of a value; none where the list is absent.
    fn get(&self, at: usize) -> &[u8] {
        let Some(end) = self.ends.get(at) else { return &[] };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..*end]
    }
}

pub(super) fn damaged(problem: String) -> ReadErrorKind {
    ReadErrorKind::Damaged { read_as: Format::SpacyDocbin, problem }
}

impl Message {
    /// Whether all lengths agree.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let count = self.ends.last().copied().unwrap_or(0);
        let row = self.attributes.len() * 8;
        if count.checked_mul(row) != Some(self.tokens.len()) {
            let (found, attributes) = (self.tokens.len(), self.attributes.len());
            return malformed(format!(
                "`lengths` tells of {count} tokens, but `tokens` has {found} bytes, not 8 for each of {attributes} attributes a token"
            ));
        }
        if self.spaces.len() != count {
            return malformed(format!("`lengths` tells of {count} tokens, but `spaces` of {}", self.spaces.len()));
        }
        let lists = [
            ("cats", &self.cats, false),
            ("flags", &self.flags, true),
            ("span_groups", &self.span_groups, true),
            ("user_data", &self.user_data, true),
        ];
        for (name, values, may_be_absent) in lists {
            let (found, documents) = (values.ends.len(), self.ends.len());
            if found != documents && !(may_be_absent && found == 0) {
                return malformed(format!("`lengths` tells of {documents} documents, but `{name}` of {found}"));
            }
        }
        Ok(())
    }

    /// Number of documents.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The rows of a document.
    pub(super) fn rows(&self, document: usize) -> Range<usize> {
        let start = document.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[document]
    }

    /// Where an attribute stands in a row.
    pub(super) fn column(&self, attribute: u64) -> Option<usize> {
        self.attributes.iter().position(|other| *other == attribute)
    }

    /// The value of a row in a column.
    pub(super) fn value(&self, row: usize, column: usize) -> u64 {
        let at = (row * self.attributes.len() + column) * 8;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.tokens[at..at + 8]);
        u64::from_le_bytes(bytes)
    }

    /// Whether a space follows the token of a row.
    pub(super) fn space(&self, row: usize) -> bool {
        self.spaces[row] != 0
    }

    /// The string that a number stands for.
    pub(super) fn string(&self, id: u64) -> Option<Cow<'_, str>> {
        match self.strings.get(&id) {
            Some(string) => Some(Cow::Borrowed(string)),
            None if id == 0 => Some(Cow::Borrowed("")),
            None => strings::symbol_name(id).map(Cow::Owned),
        }
    }

    pub(super) fn cats(&self, document: usize) -> &[u8] {
        self.cats.get(document)
    }

    pub(super) fn flags(&self, document: usize) -> &[u8] {
        self.flags.get(document)
    }

    pub(super) fn span_groups(&self, document: usize) -> &[u8] {
        self.span_groups.get(document)
    }

    pub(super) fn user_data(&self, document: usize) -> &[u8] {
        self.user_data.get(document)
    }
}
