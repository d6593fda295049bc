//! Where registries and their files lie.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Where a registry, or a file or folder of one, lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the file system of this machine.
    Path(PathBuf),
    /// In an object store.
    Store(StoreUrl),
}

impl Place {
    /// The path, if it lies in the file system.
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Store(_) => None,
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Store(url) => url.fmt(f),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `s3://BUCKET/KEY`: an object, or a prefix that objects share, in a store that speaks the protocol of Amazon S3. The key stands
/// as it is: nothing in it is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrl {
    bucket: String,
    key: String,
}

/// A URL that names no place in a store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{url:?} is no place in an object store: {problem}; expected s3://BUCKET/PREFIX")]
pub struct StoreUrlError {
    url: String,
    problem: &'static str,
}

impl StoreUrl {
    /// How such a URL begins.
    pub const SCHEME: &'static str = "s3://";
    /// Longest prefix in bytes: a store takes keys of 1,024, and the names of files follow.
    const LONGEST: usize = 700;

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key or prefix, without a slash at either end.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place of this name below.
    pub(super) fn join(&self, name: &str) -> Self {
        let parts = [self.key.as_str(), name].into_iter().filter(|part| !part.is_empty());
        Self { bucket: self.bucket.clone(), key: parts.collect::<Vec<_>>().join("/") }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(url: &str) -> Result<Self, StoreUrlError> {
        let refuse = |problem| Err(StoreUrlError { url: url.to_owned(), problem });
        let Some(rest) = url.strip_prefix(Self::SCHEME) else { return refuse("another scheme") };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let key = key.trim_end_matches('/');
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = bucket.as_bytes();
        if !bytes.iter().copied().all(is_known) || !ends(bytes.first()) || !ends(bytes.last()) || bucket.contains("..")
        {
            return refuse("the bucket's name has letters, digits and `-`, `_`, `.` between them");
        }
        if key.len() > Self::LONGEST {
            return refuse("the prefix is longer than 700 bytes");
        }
        if !key.is_empty() && key.split('/').any(|part| ["", ".", ".."].contains(&part)) {
            return refuse("a part of the prefix is empty or made of dots");
        }
        if key.contains(|letter: char| letter.is_control() || letter == '\\') {
            return refuse("the prefix has a control character or `\\`");
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.key.is_empty() { "" } else { "/" };
        write!(f, "{}{}{slash}{}", Self::SCHEME, self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_store_is_a_bucket_and_a_prefix_and_nothing_else() {
        for (url, shown) in [
            ("s3://models", "s3://models"),
            ("s3://models/", "s3://models"),
            ("s3://my.models/news/ner-1/", "s3://my.models/news/ner-1"),
            ("s3://models/a b@c%20?#", "s3://models/a b@c%20?#"),
        ] {
            let place: StoreUrl = url.parse().unwrap();
            assert_eq!(place.to_string(), shown);
            assert_eq!(place.join("history/1").to_string(), format!("{shown}/history/1"));
        }
        for url in [
            "s3://",
            "s3:///x",
            "s3://a:b@c/x",
            "s3://a..b",
            "s3://-a",
            "s3://a/../b",
            "s3://a/./b",
            "s3://a//b",
            "s3://a/b\\c",
            "s3://a/b\nc",
            "gs://a/b",
            "models",
            &format!("s3://a/{}", "x".repeat(701)),
        ] {
            assert!(url.parse::<StoreUrl>().is_err(), "{url}");
        }
    }
}
