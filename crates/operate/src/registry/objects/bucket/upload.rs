//! What is put into a store.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::registry::{FileSum, RegistryError, files, files::io_at};

/// What is put into a store, and its sum.
pub(super) enum Upload<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// A file that should have this sum.
    File(&'a Path, &'a FileSum),
}

/// An upload on its way, summed as it is read.
pub(super) struct Sending<'a> {
    from: From<'a>,
    sum: files::Sum,
    size: u64,
    failed: Option<io::Error>,
}

enum From<'a> {
    Bytes(&'a [u8]),
    File { file: File, path: &'a Path, expected: &'a FileSum },
}

impl Upload<'_> {
    /// Length in bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, sum) => sum.size,
        }
    }

    /// SHA-256 as the protocol writes it.
    pub(super) fn checksum(&self) -> String {
        match self {
            Self::Bytes(bytes) => STANDARD.encode(Sha256::digest(bytes)),
            Self::File(_, sum) => STANDARD.encode(from_hex(&sum.sha256)),
        }
    }

    /// Whether an object is what was to be put.
    pub(super) fn is(&self, found: Option<&[u8]>) -> bool {
        match (self, found) {
            (_, None) => false,
            (Self::Bytes(bytes), Some(found)) => *bytes == found,
            (Self::File(_, sum), Some(found)) => files::sum(found) == sum.sha256,
        }
    }

    /// Begins an attempt.
    pub(super) fn open(&self) -> Result<Sending<'_>, RegistryError> {
        let from = match self {
            Self::Bytes(bytes) => From::Bytes(bytes),
            Self::File(path, expected) => From::File { file: File::open(path).map_err(io_at(path))?, path, expected },
        };
        Ok(Sending { from, sum: files::Sum::default(), size: 0, failed: None })
    }
}

impl Sending<'_> {
    /// Whether what was sent of a file could be read and, where all of it was, is what was expected.
    pub(super) fn verdict(self) -> Result<(), RegistryError> {
        let From::File { path, expected, .. } = self.from else { return Ok(()) };
        match self.failed {
            Some(error) => Err(io_at(path)(error)),
            None if self.size < expected.size => Ok(()),
            None => {
                let found = FileSum { size: self.size, sha256: self.sum.finish() };
                expected.compare(&found, || path.into())
            }
        }
    }
}

impl Read for Sending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.from {
            From::Bytes(bytes) => bytes.read(buffer)?,
            From::File { file, .. } => match file.read(buffer) {
                Ok(read) => read,
                Err(error) => {
                    let told = io::Error::from(error.kind());
                    if error.kind() != io::ErrorKind::Interrupted {
                        self.failed = Some(error);
                    }
                    return Err(told);
                }
            },
        };
        self.sum.update(&buffer[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

/// The bytes of hexadecimal digits; what is none is left out, and the store will see that the sum is wrong.
fn from_hex(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}
