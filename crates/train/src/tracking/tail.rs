//! Reads `events.jsonl` while it grows.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom},
    path::PathBuf,
};

use super::Record;

/// The place in a run's events up to which they were read.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
}

impl Tail {
    /// From the first line on.
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0 }
    }

    /// The next records, at most so many; none where there is nothing new. A line that is not yet ended is left for later.
    ///
    /// # Errors
    /// The file cannot be read; the place stays the same.
    pub fn next(&mut self, most: usize) -> io::Result<Vec<Record>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut lines = BufReader::new(file);
        let (mut records, mut offset, mut line) = (Vec::new(), self.offset, Vec::new());
        while records.len() < most {
            line.clear();
            let length = lines.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            offset += length as u64;
            records.extend(serde_json::from_slice(&line).ok().and_then(|line| Record::of(&line)));
        }
        self.offset = offset;
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write as _};

    use super::*;

    #[test]
    fn lines_are_read_once_and_only_when_they_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let append = |text: &str| {
            OpenOptions::new().create(true).append(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        };
        let mut tail = Tail::new(path.clone());
        assert!(tail.next(9).is_err(), "there is no file yet");
        append("{\"event\":\"step\",\"step\":1}\nnonsense\n{\"event\":\"step\",\"st");
        assert_eq!(tail.next(9).unwrap().len(), 1);
        assert_eq!(tail.next(9).unwrap().len(), 0);
        append("ep\":2}\n{\"event\":\"step\",\"step\":3}\n");
        assert_eq!(tail.next(1).unwrap().len(), 1);
        assert_eq!(tail.next(9).unwrap().len(), 1);
    }
}
