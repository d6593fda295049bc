//! Versions of a registry where a command takes a model, and the registry that a command works on.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use operate::registry::{Registry, VersionName};
use url::Url;

use crate::{
    progress::note,
    project::{Project, given_or},
};

/// How a version is named where a folder could stand.
const PREFIX: &str = "registry:";
/// Folder of the registry in a project.
const IN_PROJECT: &str = "registry";

/// The folder of a model: the folder itself; the live version where the folder is a registry; or the version in
/// `registry:DIR@VERSION`, where the live one is meant without `@VERSION`. A version's files are summed again first.
pub fn folder(named: &Path) -> anyhow::Result<PathBuf> {
    let text = named.to_string_lossy();
    let (root, version) = match text.strip_prefix(PREFIX) {
        Some(rest) => match rest.rsplit_once('@') {
            // A folder may have the sign in its name.
            Some((root, version)) if !Registry::is_at(Path::new(rest)) => (file_or_folder(root)?, version.parse()?),
            _ => (file_or_folder(rest)?, VersionName::Live),
        },
        None if Registry::is_at(named) => (named.to_owned(), VersionName::Live),
        None => return Ok(named.to_owned()),
    };
    let registry = Registry::open(&root)?;
    let state = registry.state()?;
    let version = state.find(&version, &root)?;
    let way_out = || {
        format!(
            "v{} of {} cannot be used; `nomen registry verify` lists what is wrong, `nomen registry rollback` goes back",
            version.number,
            root.display()
        )
    };
    let folder = registry.verified_folder(&version.id).with_context(way_out)?;
    note(&format!("{}: v{} ({}), {}", root.display(), version.number, version.id.short(), version.stage));
    Ok(folder)
}

/// The folder that a command was given as a registry, or the project's.
pub fn registry_root(given: Option<&str>) -> anyhow::Result<PathBuf> {
    match given {
        Some(given) => file_or_folder(given),
        None => given_or(None, "--registry", |project| Ok(in_project(&project))),
    }
}

/// The registry of a project, whether it is there yet or not.
pub fn in_project(project: &Project) -> PathBuf {
    project.path(Path::new(IN_PROJECT))
}

/// A folder by its path or by a `file:` URL.
fn file_or_folder(given: &str) -> anyhow::Result<PathBuf> {
    let Some((scheme, _)) = given.split_once("://") else { return Ok(PathBuf::from(given)) };
    if scheme != "file" {
        bail!("{given}: a registry is a folder or a file: URL; {scheme}: is not read, mount the store as a folder");
    }
    let path = Url::parse(given).ok().and_then(|url| url.to_file_path().ok());
    path.with_context(|| format!("{given} is no path on this machine; expected file:///FOLDER"))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A moment of the history for people.
pub fn moment(seconds: u64) -> String {
    train::moment(UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_named_by_its_folder_or_a_file_url() {
        assert_eq!(file_or_folder("models/news").unwrap(), Path::new("models/news"));
        assert_eq!(file_or_folder("file:///srv/my%20models").unwrap(), Path::new("/srv/my models"));
        for given in ["s3://bucket/models", "file://other-host/x"] {
            assert!(file_or_folder(given).is_err(), "{given}");
        }
    }
}
