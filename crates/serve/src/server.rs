//! A server from its start to its stop.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use transport::{Bounds, TlsAcceptor, TlsError};

use crate::{
    App, ConfigError,
    config::{Config, Timeouts},
    routes,
};

/// Between two looks whether the server is to stop, while it waits to look at models again.
const TICK: Duration = Duration::from_millis(100);

/// Why a server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Another program listens there, or the address is not this machine's.
    #[error("{addr}: cannot listen there: {error}; --addr HOST:PORT names another address")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The system gives no threads.
    #[error("the server's threads cannot be started: {0}")]
    Threads(io::Error),
}

/// A server that listens and does not answer yet.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    runtime: Runtime,
    addr: SocketAddr,
    stop: watch::Sender<bool>,
}

/// Stops a server, from any thread.
#[derive(Clone)]
pub struct Handle {
    app: Arc<App>,
    stop: watch::Sender<bool>,
}

impl Handle {
    /// Takes no new connections, and ends the server when the requests that are under way are answered.
    pub fn stop(&self) {
        self.app.stop();
        self.stop.send_replace(true);
    }
}

impl Server {
    /// Takes the address and looks through the settings; models may be loaded afterwards.
    ///
    /// # Errors
    /// Settings, certificates or the address are wrong.
    pub fn bind(app: App) -> Result<Self, StartError> {
        app.config.check()?;
        let tls = app.config.tls.as_ref().map(|tls| transport::acceptor(&tls.certificate, &tls.key)).transpose()?;
        let addr = app.config.addr;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("nomen-http")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let listener = {
            let _inside = runtime.enter();
            transport::listen(addr).map_err(|error| StartError::Listen { addr, error })?
        };
        let addr = listener.local_addr().map_err(|error| StartError::Listen { addr, error })?;
        Ok(Self { app: Arc::new(app), listener, tls, runtime, addr, stop: watch::channel(false).0 })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its parts.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What stops it.
    pub fn handle(&self) -> Handle {
        Handle { app: Arc::clone(&self.app), stop: self.stop.clone() }
    }

    /// Answers until it is stopped and all that it had taken is answered.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn run(self) -> Result<(), StartError> {
        let Self { app, listener, tls, runtime, stop, .. } = self;
        let computing = spawn("nomen-compute", {
            let app = Arc::clone(&app);
            move || app.queue.work()
        })?;
        let watching = app.config.reload_every_s > 0.0;
        let looking = if watching { Some(look(&app, stop.subscribe())?) } else { None };
        let router = routes::router(&app);
        let (bounds, connections) = (bounds(&app.config), Arc::new(Connections(Arc::clone(&app))));
        runtime.block_on(transport::accept(listener, tls, router, bounds, connections, stop.subscribe()));
        app.queue.end();
        let _ = computing.join();
        if let Some(looking) = looking {
            let _ = looking.join();
        }
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// Counts connections.
struct Connections(Arc<App>);

impl transport::Watch for Connections {
    fn opened(&self) {
        self.0.metrics.connected();
    }

    fn closed(&self) {
        self.0.metrics.disconnected();
    }
}

fn bounds(config: &Config) -> Bounds {
    let Timeouts { header_s, idle_s, write_s, drain_s, .. } = config.timeouts;
    Bounds {
        connections: config.limits.connections,
        header: Timeouts::of(header_s),
        idle: Timeouts::of(idle_s),
        write: Timeouts::of(write_s),
        drain: Timeouts::of(drain_s),
    }
}

/// Loads models whose folders have changed.
fn look(app: &Arc<App>, stop: watch::Receiver<bool>) -> Result<JoinHandle<()>, StartError> {
    let app = Arc::clone(app);
    let every = Timeouts::of(app.config.reload_every_s);
    spawn("nomen-models", move || {
        let mut last = Instant::now();
        while !*stop.borrow() {
            thread::sleep(TICK.min(every));
            if last.elapsed() >= every {
                app.refresh();
                last = Instant::now();
            }
        }
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StartError::Threads)
}
