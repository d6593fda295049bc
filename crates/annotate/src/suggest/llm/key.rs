//! The key of a server, which nothing shows.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// What stands where a key was.
const REMOVED: &str = "[key]";

/// A key. It is sent in a header to the server that it is for, and written nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Its file cannot be read.
    #[error("the key file {} cannot be read: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// It is empty or more than one word.
    #[error("the key is empty or has characters that no key has; it is one word of visible ASCII characters")]
    Malformed,
}

impl Key {
    /// A key; white space around it does not count.
    ///
    /// # Errors
    /// It is empty, or has characters that a header cannot hold.
    pub fn new(key: &str) -> Result<Self, KeyError> {
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Malformed);
        }
        Ok(Self(key.to_owned()))
    }

    /// The key that is all that a file holds.
    ///
    /// # Errors
    /// The file cannot be read, or holds no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path).map_err(|error| KeyError::Io { path: path.to_owned(), error })?;
        Self::new(&text)
    }

    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// A text without the key, which a server may repeat in what it says.
    pub(super) fn removed_from(&self, text: &str) -> String {
        text.replace(&self.0, REMOVED)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word_and_is_never_shown() {
        let key = Key::new(" sk-123\n").unwrap();
        assert_eq!(key.header(), "Bearer sk-123");
        assert!(!format!("{key:?}").contains("123"));
        assert_eq!(key.removed_from("bad key sk-123, sk-123"), "bad key [key], [key]");
        for text in ["", " \n", "a b", "clé", "a\nb"] {
            let error = Key::new(text).unwrap_err().to_string();
            assert!(text.trim().is_empty() || !error.contains(text), "{error}");
        }
    }
}
