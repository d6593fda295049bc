//! Secure connections by the certificates of the system, so that a company's own authority counts. Whoever in Nomen asks another
//! machine by HTTPS asks by these settings.

use std::sync::Arc;

use thiserror::Error;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The system has no root certificates, so that no other machine can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "no root certificates on this system; install the package `ca-certificates`, or name a file of them in SSL_CERT_FILE"
)]
pub struct NoCertificates;

/// The settings of secure connections.
///
/// # Errors
/// The system has no root certificates.
pub fn tls() -> Result<TlsConfig, NoCertificates> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(NoCertificates);
    }
    let certificates = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
}
