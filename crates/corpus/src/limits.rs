//! How much of a file may be in memory at once.

/// Bounds on what is in memory at once, so that a hostile or broken file cannot exhaust memory or the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that one document may take in its file: a line, a CoNLL sentence, an element of a JSON array.
    pub document_bytes: usize,
    /// Most levels of nested arrays and objects in JSON; values above 120 have the effect of 120.
    pub json_depth: usize,
    /// Most bytes that a file may take in memory, unpacked, where its format can be read as a whole only: spaCy's
    /// DocBin, Parquet.
    pub whole_file_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_bytes: 64 << 20, json_depth: 100, whole_file_bytes: 4 << 30 }
    }
}
