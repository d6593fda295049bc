//! What is still to be looked at.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};
use url::Url;

use super::{CollectError, Reason};

/// A source as its caller names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A file or a folder.
    Path(String),
    /// An address of the web: a page, a sitemap or a feed.
    Address(Url),
}

impl Source {
    /// The source with this name: what starts with `http://` or `https://` is an address, else a file or folder that
    /// must be there.
    ///
    /// # Errors
    /// There is no such file or folder, or the address is malformed.
    pub fn named(name: &str) -> Result<Self, CollectError> {
        let refused = |problem: String| CollectError::Source { name: name.to_owned(), problem };
        let has = |scheme: &str| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if has("http://") || has("https://") {
            let mut url = Url::parse(name).map_err(|error| refused(format!("no address of the web: {error}")))?;
            url.set_fragment(None);
            return Ok(Self::Address(url));
        }
        if name.contains("://") {
            return Err(refused("only addresses that start with http:// or https:// are collected".to_owned()));
        }
        match fs::metadata(name) {
            Ok(found) if found.is_dir() || found.is_file() => Ok(Self::Path(name.to_owned())),
            Ok(_) => Err(refused("neither a file nor a folder".to_owned())),
            Err(error) => Err(refused(format!("{error}; an address of the web starts with https://"))),
        }
    }
}

/// Something to look at; kept in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Item {
    Folder(String),
    File {
        path: String,
        /// It was found in a folder, not named by the caller.
        found: bool,
    },
    Address {
        url: Url,
        /// The host that listed it; `None` where the caller named it.
        host: Option<String>,
        /// How many sitemaps and feeds led to it.
        depth: usize,
    },
    /// Found, and not to be opened.
    Refused {
        name: String,
        reason: Reason,
        detail: String,
    },
}

impl Item {
    pub(super) fn of(source: &Source) -> Self {
        match source {
            Source::Path(path) if Path::new(path).is_dir() => Self::Folder(path.clone()),
            Source::Path(path) => Self::File { path: path.clone(), found: false },
            Source::Address(url) => Self::Address { url: url.clone(), host: None, depth: 0 },
        }
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Folder(path) | Self::File { path, .. } => path,
            Self::Address { url, .. } => url.as_str(),
            Self::Refused { name, .. } => name,
        }
    }
}
