//! Where a run is shown: `none`, `tensorboard`, `mlflow` or `mlflow:URL`.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use thiserror::Error;
use url::Url;

use super::{Environment, FOLDER, TrackError, Tracker, mlflow, tensorboard};

/// The experiment that runs belong to where nobody names one.
const EXPERIMENT: &str = "nomen";

/// Where a run is shown, beside its `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere else.
    None,
    /// An MLflow server.
    Mlflow {
        /// Address of the server.
        url: Url,
        /// Name of the experiment.
        experiment: String,
    },
    /// Event files for TensorBoard in the run's folder.
    Tensorboard,
}

/// Why a run cannot be shown there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DestinationError {
    /// No tracker has this name.
    #[error(
        "`{0}` is no tracker; there are `mlflow:URL`, `mlflow` (address in MLFLOW_TRACKING_URI), `tensorboard` and `none`"
    )]
    Unknown(String),
    /// `mlflow` without an address.
    #[error("`mlflow` needs an address: write mlflow:http://HOST:PORT, or set MLFLOW_TRACKING_URI")]
    NoAddress,
    /// The address is none of a server.
    #[error(
        "`{0}` is no address of an MLflow server; it must begin with http:// or https:// (a server for files or a \
         database is started by `mlflow server`)"
    )]
    NoServer(String),
    /// The address holds a user or a password.
    #[error(
        "the address of the MLflow server holds credentials; leave them out, and set MLFLOW_TRACKING_USERNAME and \
         MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    )]
    Credentials,
}

impl Destination {
    /// Reads one as it is given on the command line. An `experiment` goes before that of the environment.
    ///
    /// # Errors
    /// It names no tracker, or an address that cannot be used.
    pub fn parse(given: &str, experiment: Option<&str>, environment: &Environment) -> Result<Self, DestinationError> {
        let address = match given {
            "none" => return Ok(Self::None),
            "tensorboard" => return Ok(Self::Tensorboard),
            "mlflow" => environment.uri.as_deref().ok_or(DestinationError::NoAddress)?,
            _ => given.strip_prefix("mlflow:").ok_or_else(|| DestinationError::Unknown(given.to_owned()))?,
        };
        let experiment = experiment.or(environment.experiment.as_deref()).unwrap_or(EXPERIMENT);
        Ok(Self::Mlflow { url: server(address)?, experiment: experiment.to_owned() })
    }

    /// Those that a run was shown at before.
    pub fn known(run: &Path) -> Vec<Self> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(run.join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.iter().filter_map(|file| tensorboard::known(file).or_else(|| mlflow::known(file))).collect()
    }

    /// The tracker for a run, which goes on where an earlier one came to; there is none for [`Self::None`].
    ///
    /// # Errors
    /// It could never send anything.
    pub fn tracker(&self, run: &Path, environment: &Environment) -> Result<Option<Box<dyn Tracker>>, TrackError> {
        Ok(match self {
            Self::None => None,
            Self::Mlflow { url, experiment } => Some(Box::new(mlflow::Mlflow::new(run, url, experiment, environment)?)),
            Self::Tensorboard => Some(Box::new(tensorboard::Tensorboard::new(run))),
        })
    }
}

/// An address without credentials.
pub(super) fn server(address: &str) -> Result<Url, DestinationError> {
    let refused = || DestinationError::NoServer(address.to_owned());
    let Ok(url) = Url::parse(address) else {
        // What cannot be read may hold credentials all the same.
        return Err(if address.contains('@') { DestinationError::Credentials } else { refused() });
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(DestinationError::Credentials);
    }
    let is_plain = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_plain {
        return Err(refused());
    }
    Ok(url)
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Mlflow { url, .. } => write!(f, "mlflow:{}", url.as_str().trim_end_matches('/')),
            Self::Tensorboard => f.write_str("tensorboard"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &str) -> Result<String, DestinationError> {
        Destination::parse(given, None, &Environment::default()).map(|destination| destination.to_string())
    }

    #[test]
    fn what_is_given_is_understood_or_refused_with_the_way_out() {
        for given in ["none", "tensorboard", "mlflow:http://127.0.0.1:5000", "mlflow:https://host/below/it"] {
            assert_eq!(parse(given).as_deref(), Ok(given));
        }
        assert_eq!(parse("mlflow"), Err(DestinationError::NoAddress));
        for (given, part) in [
            ("wandb", "`wandb` is no tracker"),
            ("mlflow:", "is no address"),
            ("mlflow:file:///tmp/mlruns", "mlflow server"),
            ("mlflow:127.0.0.1:5000", "http://"),
            ("mlflow:http://host?token=1", "is no address"),
        ] {
            let told = parse(given).unwrap_err().to_string();
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn credentials_in_an_address_are_refused_and_not_repeated() {
        for given in ["mlflow:http://me:s3cret@host", "mlflow:http://s3cret@host", "mlflow:http://me:s3cret@"] {
            let told = parse(given).unwrap_err().to_string();
            assert!(told.contains("MLFLOW_TRACKING_USERNAME") && !told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn the_environment_gives_address_and_experiment_where_nothing_else_does() {
        let environment = Environment {
            uri: Some("http://host:5000".to_owned()),
            experiment: Some("theirs".to_owned()),
            ..Environment::default()
        };
        let of = |given, experiment| match Destination::parse(given, experiment, &environment) {
            Ok(Destination::Mlflow { url, experiment }) => (url.to_string(), experiment),
            other => panic!("{other:?}"),
        };
        assert_eq!(of("mlflow", None), ("http://host:5000/".to_owned(), "theirs".to_owned()));
        assert_eq!(of("mlflow:http://other", Some("ours")), ("http://other/".to_owned(), "ours".to_owned()));
    }
}
