//! A text by a number that does not tell it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::fold::fold;

/// The first 8 bytes of the SHA-256 sum of a folded text, read as a big-endian number; shown as 16 hexadecimal
/// digits. Exact duplicates have the same. Two different texts out of a million share one with a probability of
/// about 1 in 40 million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TextHash(u64);

/// Not a text hash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected 16 hexadecimal digits, found `{0}`")]
pub struct NotATextHash(String);

impl TextHash {
    /// The hash of a text.
    pub fn of(text: &str) -> Self {
        let sum = Sha256::digest(fold(text));
        Self(sum.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for TextHash {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for TextHash {
    type Err = NotATextHash;

    fn from_str(digits: &str) -> Result<Self, NotATextHash> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match u64::from_str_radix(digits, 16) {
            Ok(number) if digits.len() == 16 && digits.bytes().all(is_digit) => Ok(Self(number)),
            _ => Err(NotATextHash(digits.escape_debug().to_string())),
        }
    }
}

impl TryFrom<String> for TextHash {
    type Error = NotATextHash;

    fn try_from(digits: String) -> Result<Self, NotATextHash> {
        digits.parse()
    }
}

impl From<TextHash> for String {
    fn from(hash: TextHash) -> Self {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_the_same_from_release_to_release_and_is_shared_by_exact_duplicates() {
        // The first 16 digits of the SHA-256 sum of `abc`.
        assert_eq!(TextHash::of("  ABC ").to_string(), "ba7816bf8f01cfea");
        assert_ne!(TextHash::of("abc"), TextHash::of("ab c"));
        assert_eq!("00ab16bf8f01cfea".parse::<TextHash>().unwrap().to_string(), "00ab16bf8f01cfea");
        for text in ["", "+a7816bf8f01cfea", "BA7816BF8F01CFEA", "ba7816bf8f01cfeaa", "ba7816bf8f01cfe"] {
            assert!(text.parse::<TextHash>().is_err(), "{text:?} was accepted");
        }
    }
}
