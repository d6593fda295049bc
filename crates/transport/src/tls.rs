//! Certificates.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// Why certificate files cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is no PEM file of what it should hold.
    #[error("{path}: no {what} can be read from it: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Certificate and key do not go together.
    #[error("{certificate} and {key}: {problem}")]
    Together {
        /// File of the certificates.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// What speaks TLS with these PEM files: a chain of certificates and their private key.
///
/// # Errors
/// A file cannot be read or holds something else, or they do not go together.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let wrong = |path: &Path, what, problem: String| TlsError::File { path: path.to_owned(), what, problem };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, "certificate", error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong(certificate, "certificate", "there is none in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, "key", error.to_string()))?;
    let together = |error: rustls::Error| TlsError::Together {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        problem: error.to_string(),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(together)?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(together)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
