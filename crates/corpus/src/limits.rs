//! How much of a file may be in memory at once.

/// Bounds on one document, so that a hostile or broken file cannot exhaust memory or the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that one document may take in its file: a line, a CoNLL sentence, an element of a JSON array.
    pub document_bytes: usize,
    /// Most levels of nested arrays and objects in JSON; values above 120 have the effect of 120.
    pub json_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_bytes: 64 << 20, json_depth: 100 }
    }
}
