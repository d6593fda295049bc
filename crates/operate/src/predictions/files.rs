//! The files of a log: numbered, of bounded size, the oldest removed where there would be too much.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

/// A log has room for about so many files, so that removing the oldest loses an eighth of it.
const FILES: u64 = 8;
const PREFIX: &str = "predictions-";
const SUFFIX: &str = ".jsonl";
/// Held by whoever writes.
const LOCK_FILE: &str = "predictions.lock";

/// Where rows are appended. Files of an earlier writer are left as they are: after a crash their last line may be cut.
pub(super) struct Files {
    folder: PathBuf,
    most_bytes: u64,
    current: Option<Current>,
    next: u64,
    /// Held while the writer lives.
    _lock: File,
}

struct Current {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl Files {
    /// A folder, made where there is none; `None` where another process writes to it.
    pub(super) fn open(folder: &Path, most_bytes: u64) -> io::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        let next = numbered(folder)?.last().map_or(1, |(number, _)| number + 1);
        Ok(Some(Self { folder: folder.to_owned(), most_bytes, current: None, next, _lock: lock }))
    }

    /// Most bytes of a line.
    pub(super) fn longest_line(&self) -> u64 {
        self.most_bytes / FILES
    }

    /// Appends a line. After an error the next one goes to a new file, because this one may end in a part of it.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        let mut current = match self.current.take().filter(|current| current.bytes + length <= self.longest_line()) {
            Some(current) => current,
            None => self.begin()?,
        };
        current.file.write_all(line)?;
        current.bytes += length;
        self.current = Some(current);
        Ok(())
    }

    /// Hands what is buffered to the system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        current.file.flush()?;
        self.current = Some(current);
        Ok(())
    }

    /// A new file, and room for it.
    fn begin(&mut self) -> io::Result<Current> {
        self.make_room()?;
        let path = self.folder.join(format!("{PREFIX}{:06}{SUFFIX}", self.next));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Rows may hold texts: nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
        let file = BufWriter::with_capacity(1 << 16, options.open(&path)?);
        self.next += 1;
        Ok(Current { path, file, bytes: 0 })
    }

    /// Removes the oldest files until a full one more is not too much.
    fn make_room(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for (_, path) in numbered(&self.folder)? {
            let bytes = fs::metadata(&path)?.len();
            files.push((path, bytes));
        }
        let mut bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        for (path, of_file) in files {
            if bytes + self.longest_line() <= self.most_bytes {
                break;
            }
            fs::remove_file(path)?;
            bytes -= of_file;
        }
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // A file without a row says nothing.
        if let Some(Current { path, bytes: 0, .. }) = &self.current {
            let _ = fs::remove_file(path);
        }
    }
}

/// The files of a log with their numbers, the oldest first.
pub(super) fn numbered(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok());
        files.extend(number.map(|number: u64| (number, entry.path())));
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_never_grows_past_its_bound_and_the_newest_rows_stay() {
        let folder = tempfile::tempdir().unwrap();
        let size = || -> u64 {
            numbered(folder.path()).unwrap().iter().map(|(_, path)| fs::metadata(path).unwrap().len()).sum()
        };
        let mut files = Files::open(folder.path(), 800).unwrap().unwrap();
        for row in 0..500 {
            files.append(format!("{row:06}\n").as_bytes()).unwrap();
            files.flush().unwrap();
            assert!(size() <= 800, "{} bytes at row {row}", size());
        }
        assert!(size() > 600);
        drop(files);
        let (_, newest) = numbered(folder.path()).unwrap().pop().unwrap();
        assert!(fs::read_to_string(newest).unwrap().ends_with("000499\n"));
    }

    #[test]
    fn one_process_writes_at_a_time_and_the_next_one_begins_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Files::open(folder.path(), 8_000).unwrap().unwrap();
        assert!(Files::open(folder.path(), 8_000).unwrap().is_none());
        first.append(b"{}\n").unwrap();
        drop(first);
        let mut second = Files::open(folder.path(), 8_000).unwrap().unwrap();
        second.append(b"{}\n").unwrap();
        drop(second);
        assert_eq!(numbered(folder.path()).unwrap().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2]);
    }
}
