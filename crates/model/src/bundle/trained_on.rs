//! Which texts a model was trained on, so that nobody takes its score on them for a score on new text.

use std::{fs, io, path::Path};

use super::BundleError;

/// Name of the file in a bundle.
pub const TRAINED_ON_FILE: &str = "nomen-trained-on.bin";

/// Bytes of a hash.
const WIDTH: usize = size_of::<u64>();

/// Hashes of the texts that a model was trained on, itself or as the base that it was made from. What is hashed and
/// how is left to whoever adds and asks. In the file they stand as big-endian numbers, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainedOn {
    hashes: Vec<u64>,
}

impl TrainedOn {
    /// Adds hashes to those that are there.
    pub fn add(&mut self, hashes: impl IntoIterator<Item = u64>) {
        self.hashes.extend(hashes);
        self.hashes.sort_unstable();
        self.hashes.dedup();
    }

    /// Whether the text of this hash was trained on.
    pub fn contains(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether no text is known: there was no training, or nothing kept its texts.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Reads the file of a folder; none where there is no such file.
    pub(super) fn read(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join(TRAINED_ON_FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(BundleError::Io { path, error }),
        };
        let (numbers, rest) = bytes.as_chunks::<WIDTH>();
        let hashes: Vec<u64> = numbers.iter().copied().map(u64::from_be_bytes).collect();
        if !rest.is_empty() || !hashes.is_sorted_by(|a, b| a < b) {
            let problem = format!(
                "expected ascending numbers of {WIDTH} bytes, found {} bytes that are none; copy the bundle anew",
                bytes.len()
            );
            return Err(BundleError::Disagree { path, problem });
        }
        Ok(Self { hashes })
    }

    /// What stands in the file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.to_be_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TRAINED_ON_FILE);
        assert!(TrainedOn::read(folder.path()).unwrap().is_empty(), "bundles of old have no such file");
        let mut known = TrainedOn::default();
        known.add([7, u64::MAX, 3]);
        known.add([3, 5]);
        assert!([3, 5, 7, u64::MAX].iter().all(|hash| known.contains(*hash)) && !known.contains(4) && known.len() == 4);
        fs::write(&path, known.bytes()).unwrap();
        assert_eq!(TrainedOn::read(folder.path()).unwrap(), known);
        let bytes = known.bytes();
        let reversed: Vec<u8> = bytes.chunks(WIDTH).rev().flatten().copied().collect();
        for wrong in [&bytes[1..], &reversed] {
            fs::write(&path, wrong).unwrap();
            let refused = TrainedOn::read(folder.path()).unwrap_err().to_string();
            assert!(refused.contains(TRAINED_ON_FILE) && refused.contains("copy the bundle anew"), "{refused}");
        }
    }
}
