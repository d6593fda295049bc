//! Reading a log back.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::{Row, files};

/// Longest line that is read.
const LONGEST_LINE: u64 = 256 << 20;

/// The rows of logs, file by file, in the order in which they were written.
pub struct Rows {
    files: std::vec::IntoIter<PathBuf>,
    current: Option<(PathBuf, BufReader<File>, usize)>,
    /// Files whose last line was cut, by a crash or because it is being written.
    pub cut: Vec<PathBuf>,
}

/// Why a log cannot be read.
#[derive(Debug, Error)]
pub enum RowsError {
    /// There is no log at this place.
    #[error("{}: there is no prediction log in it; name a folder that --log wrote, or one of its files", .0.display())]
    NoLog(PathBuf),
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A line is no row.
    #[error("{}:{line}: no row of a prediction log: {problem}; is it one? If its file was damaged, remove the line", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

impl Rows {
    /// The rows of logs: folders with all their files, or single files.
    ///
    /// # Errors
    /// A folder cannot be read or has no log in it.
    pub fn open(logs: &[impl AsRef<Path>]) -> Result<Self, RowsError> {
        let mut all = Vec::new();
        for log in logs.iter().map(AsRef::as_ref) {
            if !log.is_dir() {
                all.push(log.to_owned());
                continue;
            }
            let of_folder = files::numbered(log).map_err(|error| RowsError::Io { path: log.to_owned(), error })?;
            if of_folder.is_empty() {
                return Err(RowsError::NoLog(log.to_owned()));
            }
            all.extend(of_folder.into_iter().map(|(_, path)| path));
        }
        Ok(Self { files: all.into_iter(), current: None, cut: Vec::new() })
    }

    /// The next row of the file that is open; `None` at its end.
    fn next_of(&mut self, path: &Path, file: &mut BufReader<File>, line: &mut usize) -> Option<Result<Row, RowsError>> {
        loop {
            let mut bytes = Vec::new();
            if let Err(error) = file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes) {
                return Some(Err(RowsError::Io { path: path.to_owned(), error }));
            }
            if bytes.is_empty() {
                return None;
            }
            *line += 1;
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let is_whole = bytes.last() == Some(&b'\n');
            match serde_json::from_slice(&bytes) {
                Ok(row) => return Some(Ok(row)),
                Err(_) if !is_whole && (bytes.len() as u64) < LONGEST_LINE => {
                    self.cut.push(path.to_owned());
                    return None;
                }
                Err(error) => {
                    let problem = error.to_string();
                    return Some(Err(RowsError::Malformed { path: path.to_owned(), line: *line, problem }));
                }
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, RowsError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (path, mut file, mut line) = if let Some(current) = self.current.take() {
                current
            } else {
                let path = self.files.next()?;
                match File::open(&path) {
                    Ok(file) => (path, BufReader::with_capacity(1 << 16, file), 0),
                    Err(error) => return Some(Err(RowsError::Io { path, error })),
                }
            };
            if let Some(row) = self.next_of(&path, &mut file, &mut line) {
                self.current = Some((path, file, line));
                return Some(row);
            }
        }
    }
}
