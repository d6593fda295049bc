//! Mapping a file of weights into memory: the one unsafe call of this crate.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::WeightsError;

/// Maps the whole file. Reading 90 MB into a buffer costs about 50 ms and doubles the memory of every process that
/// serves the same model; a mapping costs microseconds and is shared.
#[allow(unsafe_code)]
pub(super) fn map(path: &Path) -> Result<Mmap, WeightsError> {
    let io = |source| WeightsError::Io { path: path.to_owned(), source };
    // Asked before opening: opening a named pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(io(std::io::Error::other("not a regular file")));
    }
    let file = File::open(path).map_err(io)?;
    // SAFETY: the mapping is read-only and read as bytes or as plain floats, for which every bit pattern is valid. What
    // Rust cannot rule out is that another process changes the file meanwhile. Nomen and transformers replace weights by
    // renaming a new file over the old one, which leaves this mapping's pages as they were; who rewrites the file in
    // place gets other numbers, and who shortens it gets SIGBUS, which is the usual contract of mapped weights.
    unsafe { Mmap::map(&file) }.map_err(io)
}
