//! A studio from its start to its stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch};
use transport::{Bounds, TlsAcceptor};

use super::{Settings, StartError, Studio, app};

/// A page and what it loads come over a handful of connections; this is for a hundred people and their tabs.
const CONNECTIONS: usize = 2_048;

/// A port that is taken, before anything answers there.
pub struct Port {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    addr: SocketAddr,
}

impl Port {
    /// Takes the address of the settings. To be called inside a runtime.
    ///
    /// # Errors
    /// The settings would let everybody in, certificates cannot be used, or another program listens there.
    pub fn bind(settings: &Settings) -> Result<Self, StartError> {
        settings.check()?;
        let tls = settings.tls.as_ref().map(|(certificate, key)| transport::acceptor(certificate, key)).transpose()?;
        let failed = |error| StartError::Listen { addr: settings.addr, error };
        let listener = transport::listen(settings.addr).map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, tls, addr })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until it is stopped; then what is under way is answered, and runs that were started are asked to save and leave.
    pub async fn serve(self, studio: Arc<Studio>, stop: watch::Receiver<bool>) {
        let bounds = Bounds {
            connections: CONNECTIONS,
            header: Duration::from_secs(8),
            idle: Duration::from_secs(120),
            write: Duration::from_secs(20),
            drain: Duration::from_secs(10),
        };
        let router = app(Arc::clone(&studio), stop.clone());
        transport::accept(self.listener, self.tls, router, bounds, Arc::new(()), stop).await;
        studio.end().await;
    }
}
