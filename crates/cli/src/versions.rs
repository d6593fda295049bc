//! Versions of a registry where a command takes a model, and the registry that a command works on.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use model::base::Options;
use operate::registry::{Access, Place, Registry, StoreUrl, VersionName};
use url::Url;

use crate::{
    progress::note,
    project::{Project, given_or},
};

/// How a version is named where a folder could stand.
const PREFIX: &str = "registry:";
/// Folder of the registry in a project.
const IN_PROJECT: &str = "registry";

/// The id of the version that a registry has where a model is named so; `None` for a folder that is no registry.
pub fn live(named: &Path) -> anyhow::Result<Option<String>> {
    let Some((at, version)) = in_registry(named)? else { return Ok(None) };
    let state = Registry::open(at.clone(), &Access::from_env())?.state()?;
    Ok(Some(state.find(&version, &at)?.id.to_string()))
}

/// The registry and the version where a model is named so.
fn in_registry(named: &Path) -> anyhow::Result<Option<(Place, VersionName)>> {
    let text = named.to_string_lossy();
    Ok(Some(match text.strip_prefix(PREFIX) {
        Some(rest) => match rest.rsplit_once('@') {
            // A folder may have the sign in its name.
            Some((root, version)) if !version.contains('/') && !Registry::is_at(Path::new(rest)) => {
                (place(root)?, version.parse()?)
            }
            _ => (place(rest)?, VersionName::Live),
        },
        None if text.starts_with(StoreUrl::SCHEME) => (place(&text)?, VersionName::Live),
        None if Registry::is_at(named) => (named.into(), VersionName::Live),
        None => return Ok(None),
    }))
}

/// The folder of a model: the folder itself; the live version where it is a registry, in a folder or a store; or the version in
/// `registry:PLACE@VERSION`, where the live one is meant without `@VERSION`. A version's files are summed again first; those
/// in a store are fetched once, into the cache that base models have, too.
pub fn folder(named: &Path) -> anyhow::Result<PathBuf> {
    let Some((at, version)) = in_registry(named)? else { return Ok(named.to_owned()) };
    let registry = Registry::open(at.clone(), &Access::from_env())?;
    let state = registry.state()?;
    let version = state.find(&version, &at)?;
    let way_out = || {
        format!(
            "v{} of {at} cannot be used; `nomen registry verify` lists what is wrong, `nomen registry rollback` goes back",
            version.number
        )
    };
    let cache = Options::from_env().cache;
    let mut is_told = false;
    let folder = registry
        .verified_folder(&version.id, &cache, &mut |fetching| {
            if !std::mem::replace(&mut is_told, true) {
                note(&format!("{at}: fetching v{}, {:.1} MB", version.number, fetching.total as f64 / 1e6));
            }
        })
        .with_context(way_out)?;
    note(&format!("{at}: v{} ({}), {}", version.number, version.id.short(), version.stage));
    Ok(folder)
}

/// Where the registry lies that a command was given, or the project's.
pub fn registry_place(given: Option<&str>) -> anyhow::Result<Place> {
    match given {
        Some(given) => place(given),
        None => Ok(given_or(None, "--registry", |project| Ok(in_project(&project)))?.into()),
    }
}

/// The registry of a project, whether it is there yet or not.
pub fn in_project(project: &Project) -> PathBuf {
    project.path(Path::new(IN_PROJECT))
}

/// A folder by its path or by a `file:` URL, or a prefix in an object store.
fn place(given: &str) -> anyhow::Result<Place> {
    let Some((scheme, _)) = given.split_once("://") else { return Ok(PathBuf::from(given).into()) };
    match scheme {
        "s3" => Ok(Place::Store(given.parse()?)),
        "file" => {
            let path = Url::parse(given).ok().and_then(|url| url.to_file_path().ok());
            path.map(Place::Path)
                .with_context(|| format!("{given} is no path on this machine; expected file:///FOLDER"))
        }
        _ => bail!(
            "{given}: a registry is a folder, a file: URL or s3://BUCKET/PREFIX; {scheme}: is not read. Google's store \
             and others are reached by their S3 interface: s3: and AWS_ENDPOINT_URL_S3"
        ),
    }
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
    fn a_registry_is_named_by_its_folder_or_by_a_url() {
        let path = |given: &str| place(given).unwrap().as_path().map(Path::to_owned);
        assert_eq!(path("models/news").as_deref(), Some(Path::new("models/news")));
        assert_eq!(path("file:///srv/my%20models").as_deref(), Some(Path::new("/srv/my models")));
        assert_eq!(path("s3://bucket/models"), None);
        for given in ["gs://bucket/models", "s3://bucket/../x", "file://other-host/x"] {
            assert!(place(given).is_err(), "{given}");
        }
    }
}
