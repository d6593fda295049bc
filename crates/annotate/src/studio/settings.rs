//! What a studio is told before it starts.

use std::{net::SocketAddr, path::PathBuf};

use thiserror::Error;

/// What a studio is told before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Names by which it may be called; empty for those of this machine on a loopback address, and all on another.
    pub hosts: Vec<String>,
    /// Who uses it without a login until there is an account: the person at this machine. `None` where a login is asked for from the
    /// start.
    pub local: Option<String>,
    /// Certificates and private key, PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The folder below which training runs are kept.
    pub runs: PathBuf,
}

/// Why a studio does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Everybody could annotate.
    #[error(
        "{0} can be reached from other machines and nobody needs to log in; make an account with \
         `nomen studio user add NAME --role owner`, or listen on 127.0.0.1"
    )]
    Public(SocketAddr),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] transport::TlsError),
    /// Another program listens there, or the address is not this machine's.
    #[error("{addr}: cannot listen there: {error}; --addr HOST:PORT names another address")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl Settings {
    /// Looks whether a studio of these settings may start.
    ///
    /// # Errors
    /// It would let everybody in on an address that other machines reach.
    pub fn check(&self) -> Result<(), StartError> {
        if self.local.is_some() && !self.addr.ip().is_loopback() {
            return Err(StartError::Public(self.addr));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(addr: &str, local: Option<&str>) -> Settings {
        let (hosts, runs) = (Vec::new(), PathBuf::from("runs"));
        Settings { addr: addr.parse().unwrap(), hosts, local: local.map(str::to_owned), tls: None, runs }
    }

    #[test]
    fn a_public_address_without_a_login_is_refused() {
        for addr in ["0.0.0.0:8090", "[::]:8090", "192.168.1.4:80", "8.8.8.8:1"] {
            let refused = settings(addr, Some("ann")).check().unwrap_err().to_string();
            assert!(refused.contains("nomen studio user add"), "{refused}");
            assert!(settings(addr, None).check().is_ok());
        }
        for addr in ["127.0.0.1:0", "127.8.0.1:1", "[::1]:8090"] {
            assert!(settings(addr, Some("ann")).check().is_ok());
        }
    }
}
