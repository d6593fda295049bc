//! A finished run's files, through the artifact proxy of the server (`mlflow server --serve-artifacts`, its default).

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use url::Url;

use super::{Mlflow, away, hex};
use crate::tracking::{ARTIFACTS, TrackError};

impl Mlflow {
    /// Stores what the server does not have yet.
    pub(super) fn store_files(&mut self) -> Result<(), TrackError> {
        let Some(at) = self.state.at.clone() else { return Ok(()) };
        let root = root(&at.artifacts, self.server.url())?;
        for name in ARTIFACTS {
            for path in files(&self.run, Path::new(name)).map_err(|error| away(&self.run, &error))? {
                self.store(&root, &path)?;
            }
        }
        Ok(())
    }

    /// Stores one file, `path` counting from the run's folder.
    fn store(&mut self, root: &[String], path: &Path) -> Result<(), TrackError> {
        let whole = self.run.join(path);
        let failed = |error| away(&whole, &error);
        let sum = sum_of(&whole).map_err(failed)?;
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let name = parts.join("/");
        if self.state.files.get(&name) == Some(&sum) {
            return Ok(());
        }
        let file = File::open(&whole).map_err(failed)?;
        self.server.put(root.iter().chain(&parts).map(String::as_str), &file)?;
        self.state.files.insert(name, sum);
        self.save()
    }
}

/// SHA-256 sum of a file.
fn sum_of(path: &Path) -> io::Result<String> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut sum = Sha256::new();
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hex(&sum.finalize()));
        }
        sum.update(bytes);
        let length = bytes.len();
        file.consume(length);
    }
}

/// A file, or the files below a folder, in order; nothing where it does not exist.
fn files(run: &Path, path: &Path) -> io::Result<Vec<PathBuf>> {
    let whole = run.join(path);
    if whole.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !whole.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = fs::read_dir(whole)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    let mut found = Vec::new();
    for name in names {
        found.extend(files(run, &path.join(name))?);
    }
    Ok(found)
}

/// The parts of the path that a run's artifacts have at the server's proxy.
fn root(artifacts: &str, server: &Url) -> Result<Vec<String>, TrackError> {
    let elsewhere = || {
        TrackError::Refused(format!(
            "the files of the run were not sent: it keeps them at {artifacts:?}, which it does not hand on; start it with \
             --serve-artifacts"
        ))
    };
    let url = Url::parse(artifacts).map_err(|_| elsewhere())?;
    // Credentials are for the one server that was named.
    let is_here = url.host().is_none()
        || (url.host_str() == server.host_str()
            && (url.port().is_none() || url.port_or_known_default() == server.port_or_known_default()));
    let path = match url.scheme() {
        "mlflow-artifacts" if is_here => url.path(),
        "http" | "https" if is_here => url.path().split_once("/mlflow-artifacts/artifacts/").ok_or_else(elsewhere)?.1,
        _ => return Err(elsewhere()),
    };
    Ok(path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_to_the_server_that_was_named_and_nowhere_else() {
        let server = Url::parse("http://127.0.0.1:5000").unwrap();
        let of = |artifacts: &str| root(artifacts, &server).ok();
        let expected = Some(vec!["1".to_owned(), "ab".to_owned(), "artifacts".to_owned()]);
        assert_eq!(of("mlflow-artifacts:/1/ab/artifacts"), expected);
        assert_eq!(of("mlflow-artifacts://127.0.0.1:5000/1/ab/artifacts"), expected);
        assert_eq!(of("http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts/1/ab/artifacts"), expected);
        for artifacts in
            ["mlflow-artifacts://other/1/ab", "mlflow-artifacts://127.0.0.1:81/1", "s3://bucket/1", "/tmp/mlruns/1", ""]
        {
            assert_eq!(of(artifacts), None, "{artifacts}");
        }
    }
}
